/* SPDX-License-Identifier: MIT
 * Times are those of one picture at a time, as `predict` has it: the mean of some runs after one
 * that is not counted, which packs weights and wakes threads. */
#include "report_layers.h"

#include "console.h"
#include "html.h"
#include "report_chart.h"

#include <stdlib.h>

/* ---- Measuring ----------------------------------------------------------------------------- */

enum { RUNS = 20 };

static cnn_status measure(struct predictor *predictor)
{
    cnn_status status = predictor_predict(predictor);

    if (status == CNN_OK)
        status = cnn_session_profile(predictor->session, 1);
    for (int i = 0; status == CNN_OK && i < RUNS; i++)
        status = predictor_predict(predictor);
    return status;
}

double *layers_seconds(struct predictor *predictor)
{
    const int32_t layers = cnn_model_layer_count(predictor->model);
    double *seconds = calloc((size_t)layers, sizeof *seconds);

    if (seconds == NULL) {
        console_error("no memory for the times of %d layers", (int)layers);
        return NULL;
    }
    if (!console_succeeded(measure(predictor))) {
        free(seconds);
        return NULL;
    }
    for (int32_t i = 0; i < layers; i++)
        seconds[i] = cnn_session_layer_seconds(predictor->session, i) / RUNS;
    cnn_session_profile(predictor->session, 0);
    return seconds;
}

double layers_total(const double *seconds, const cnn_model *model)
{
    double sum = 0;

    for (int32_t i = 0; i < cnn_model_layer_count(model); i++)
        sum += seconds[i];
    return sum;
}

/* ---- The table ----------------------------------------------------------------------------- */

/* "80 &#215; 80 &#215; 3" */
static void put_shape(FILE *page, const int64_t *shape, int32_t rank)
{
    fputs("<td>", page);
    for (int32_t i = 0; i < rank; i++)
        fprintf(page, "%s%lld", i > 0 ? " &#215; " : "", (long long)shape[i]);
    fputs("</td>", page);
}

/* "813 346", with a thin space */
static void put_count(FILE *page, int64_t count)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%lld", (long long)count);

    fputs("<td>", page);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            fputs("&#8239;", page);
        fputc(digits[i], page);
    }
    fputs("</td>", page);
}

static void put_time(FILE *page, double seconds, double longest)
{
    if (seconds <= 0) {
        fputs("<td class=\"soft\">in passing</td>", page);
        return;
    }
    fprintf(page, "<td>%.3f ms", 1e3 * seconds);
    chart_meter(page, seconds / longest);
    fputs("</td>", page);
}

static double longest(const double *seconds, int32_t layers)
{
    double most = 0;

    for (int32_t i = 0; i < layers; i++)
        most = seconds[i] > most ? seconds[i] : most;
    return most;
}

static void put_layer(FILE *page, cnn_model *model, int32_t index, const double *seconds,
                      double most)
{
    cnn_layer *layer = cnn_model_layer(model, index);
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;
    char text[160];

    cnn_layer_describe(layer, text, sizeof text);
    fputs("<tr>", page);
    html_element(page, "td class=\"name\"", text);
    html_element(page, "td class=\"name soft\"", cnn_layer_name(layer));
    if (cnn_model_layer_shape(shape, &rank, model, index) == CNN_OK)
        put_shape(page, shape, rank);
    put_count(page, cnn_model_layer_parameters(model, index));
    put_time(page, seconds[index], most);
    fputs("</tr>\n", page);
}

void layers_table(FILE *page, cnn_model *model, const double *seconds)
{
    const int32_t layers = cnn_model_layer_count(model);
    const double most = longest(seconds, layers);

    fputs(
        "<div class=\"card wide\">\n<table>\n<thead><tr><th>layer</th><th class=\"name\">name</th>"
        "<th>output</th><th>parameters</th><th>time</th></tr></thead>\n<tbody>\n",
        page);
    for (int32_t i = 0; i < layers; i++)
        put_layer(page, model, i, seconds, most);
    fputs("</tbody>\n<tfoot><tr><td>all</td><td></td><td></td>", page);
    put_count(page, cnn_model_parameters(model));
    fprintf(page, "<td>%.3f ms</td></tr></tfoot>\n</table>\n</div>\n",
            1e3 * layers_total(seconds, model));
}

/* ---- The plan ------------------------------------------------------------------------------ */

bool layers_plan(FILE *page, const cnn_session *session)
{
    const size_t size = cnn_session_describe(session, NULL, 0) + 1;
    char *text = malloc(size);

    if (text == NULL)
        return false;
    cnn_session_describe(session, text, size);
    fputs("<details><summary>How the library runs it</summary>\n<pre>", page);
    html_text(page, text);
    fputs("</pre>\n</details>\n", page);
    free(text);
    return true;
}
