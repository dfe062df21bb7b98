/* SPDX-License-Identifier: MIT
 * The page from top to bottom.  Each section is a row of a table at the end of this file. */
#include "report.h"

#include "html.h"
#include "report_classes.h"
#include "report_confidence.h"
#include "report_curves.h"
#include "report_network.h"
#include "report_pictures.h"

#include <math.h>
#include <time.h>

/* ---- Numbers at the top -------------------------------------------------------------------- */

/* One number; none that is not defined. */
static void tile(FILE *page, const char *name, double value, int digits, const char *unit)
{
    if (!isfinite(value))
        return;
    fputs("<div class=\"tile\">", page);
    html_element(page, "b", "%.*f%s", digits, value, unit);
    html_element(page, "span", "%s", name);
    fputs("</div>\n", page);
}

static void put_duration(FILE *page, const char *name, double seconds)
{
    if (seconds < 120)
        tile(page, name, seconds, 0, " s");
    else if (seconds < 7200)
        tile(page, name, seconds / 60, 0, " min");
    else
        tile(page, name, seconds / 3600, 1, " h");
}

static void put_tiles(FILE *page, const struct report *report)
{
    cnn_metrics *metrics = report->answers.metrics;
    double area = NAN;

    fputs("<div class=\"tiles\">\n", page);
    tile(page, "accuracy", 100 * cnn_metrics_accuracy(metrics), 2, " %");
    if (cnn_metrics_class_count(metrics) == 2 && cnn_metrics_roc_auc(&area, metrics) == CNN_OK)
        tile(page, "area under ROC", area, 4, "");
    else if (cnn_metrics_class_count(metrics) > 5)
        tile(page, "top-5 accuracy", 100 * cnn_metrics_top_k_accuracy(metrics, 5), 2, " %");
    tile(page, "mean F1", 100 * cnn_metrics_macro_f1(metrics), 2, " %");
    tile(page, "log loss", cnn_metrics_log_loss(metrics), 4, "");
    if (report->history != NULL)
        put_duration(page, "training", report->history->seconds);
    tile(page, "a prediction", 1e3 * network_total(report->seconds, report->model), 2, " ms");
    fputs("</div>\n", page);
}

/* ---- The head ------------------------------------------------------------------------------ */

enum { TITLE_CLASSES = 4 };

/* "cats, dogs", or "37 classes". */
static void put_title(FILE *page, const cnn_model *model)
{
    const int32_t classes = cnn_model_class_count(model);

    if (classes > TITLE_CLASSES)
        fprintf(page, "%d classes", (int)classes);
    for (int32_t i = 0; i < classes && classes <= TITLE_CLASSES; i++) {
        fputs(i == 0 ? "" : i < classes - 1 ? ", " : " or ", page);
        html_text_short(page, cnn_model_class_name(model, i), 32);
    }
}

static void put_date(FILE *page)
{
    const time_t now = time(NULL);
    struct tm local;
    char text[64];

    if (localtime_r(&now, &local) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M %z", &local) > 0)
        html_text(page, text);
}

static void put_lead(FILE *page, const struct report *report)
{
    const cnn_metrics *metrics = report->answers.metrics;
    const long long samples = cnn_metrics_samples(metrics);
    long long right = 0;

    for (int32_t i = 0; i < cnn_metrics_class_count(metrics); i++)
        right += cnn_metrics_confusion(metrics, i, i);
    fprintf(page, "<p class=\"lead\">%lld of %lld %s pictures are recognised.", right, samples,
            report->part);
    if (report->answers.unreadable > 0)
        fprintf(page, " %lld more could not be read.", (long long)report->answers.unreadable);
    if (report->outcome != NULL && report->outcome->interrupted)
        fputs(" The training was interrupted.", page);
    fputs("</p>\n", page);
}

/* ---- Sections ------------------------------------------------------------------------------ */

static void put_training(FILE *page, struct report *report)
{
    fputs("<div class=\"charts\">\n", page);
    curves_write(page, report->history, report->outcome->best_epoch);
    fputs("</div>\n", page);
}

static void put_confidence(FILE *page, struct report *report)
{
    fputs("<div class=\"charts\">\n", page);
    confidence_write(page, &report->answers);
    fputs("</div>\n", page);
}

static void put_classes(FILE *page, struct report *report)
{
    const bool is_large = cnn_model_class_count(report->model) > 8;

    fprintf(page, "<div class=\"%s\">\n", is_large ? "stack" : "pair");
    classes_matrix(page, report->model, report->answers.metrics);
    fputs("<div class=\"stack\">\n", page);
    classes_table(page, report->model, report->answers.metrics);
    classes_pairs(page, report->model, report->answers.metrics);
    fputs("</div>\n</div>\n", page);
}

static void put_mistakes(FILE *page, struct report *report)
{
    pictures_gallery(page, &report->answers, &report->predictor, &worst_mistakes);
}

static void put_uncertain(FILE *page, struct report *report)
{
    pictures_gallery(page, &report->answers, &report->predictor, &most_uncertain);
}

static void put_heat_maps(FILE *page, struct report *report)
{
    pictures_heat(page, &report->answers, &report->predictor);
}

static void put_filters(FILE *page, struct report *report)
{
    pictures_filters(page, &report->predictor);
}

static void put_network(FILE *page, struct report *report)
{
    network_table(page, report->model, report->seconds);
    network_plan(page, report->predictor.session);
}

/* ---- How it was made ----------------------------------------------------------------------- */

static void put_run(FILE *page, const struct run *run, const struct outcome *outcome)
{
    html_element(page, "dt", "%s", "seed");
    html_element(page, "dd", "%lld", (long long)run->options->seed);
    html_element(page, "dt", "%s", "network");
    html_element(page, "dd", "%s", run->network->name);
    html_element(page, "dt", "%s", "pictures");
    html_element(page, "dd", "%lld for training, %lld for validation, %lld for the test",
                 (long long)cnn_dataset_count(run->training_data),
                 (long long)cnn_dataset_count(run->validation_data),
                 run->test_data != NULL ? (long long)cnn_dataset_count(run->test_data) : 0LL);
    html_element(page, "dt", "%s", "epochs");
    html_element(page, "dd", "%lld, the best is number %lld", (long long)run->options->epochs,
                 (long long)outcome->best_epoch);
    html_element(page, "dt", "%s", "batch");
    html_element(page, "dd", "%lld", (long long)run->options->batch);
    html_element(page, "dt", "%s", "highest learning rate");
    html_element(page, "dd", "%g", run->options->learning_rate);
}

static void put_input_size(FILE *page, const cnn_model *model)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;

    if (cnn_model_input_shape(shape, &rank, model) != CNN_OK || rank != 3)
        return;
    html_element(page, "dt", "%s", "input");
    html_element(page, "dd", "%lld \xc3\x97 %lld pixels, %lld channels", (long long)shape[1],
                 (long long)shape[0], (long long)shape[2]);
}

static void put_facts(FILE *page, struct report *report)
{
    fputs("<div class=\"card\">\n<pre class=\"command\"><code>", page);
    html_text(page, report->command);
    fputs("</code></pre>\n<dl>\n", page);
    html_element(page, "dt", "%s", "model");
    html_element(page, "dd", "%s", report->model_path);
    html_element(page, "dt", "%s", "data");
    html_element(page, "dd", "%s", report->data_path);
    if (report->run != NULL)
        put_run(page, report->run, report->outcome);
    put_input_size(page, report->model);
    html_element(page, "dt", "%s", "predictions");
    html_element(page, "dd", "%s",
                 report->flips ? "averages over each picture and its mirror image"
                               : "of each picture as it is");
    html_element(page, "dt", "%s", "library");
    html_element(page, "dd", "libcnn %s", cnn_version_string());
    html_element(page, "dt", "%s", "processor");
    html_element(page, "dd", "%s, %d threads", cnn_context_cpu_name(report->context),
                 (int)cnn_context_threads(report->context));
    html_element(page, "dt", "%s", "date");
    fputs("<dd>", page);
    put_date(page);
    fputs("</dd>\n</dl>\n</div>\n", page);
}

/* ---- The page ------------------------------------------------------------------------------ */

static const struct section {
    const char *id, *title, *note;
    void (*put)(FILE *page, struct report *report);
} sections[] = {
    {"training", "Training",
     "Training numbers are met with augmentation and dropout, validation "
     "numbers without.",
     put_training},
    {"classes", "Classes", "Rows are what a picture is, columns what it is taken for.",
     put_classes},
    {"confidence", "Confidence", "Whether the probability that it gives can be believed.",
     put_confidence},
    {"mistakes", "Worst mistakes", "Wrong, and sure of it: the surest first.", put_mistakes},
    {"uncertain", "Most uncertain", "The two most probable classes are closest here.",
     put_uncertain},
    {"heat", "Where it looks",
     "Grad-CAM (Selvaraju et al. 2017): bright pixels speak for the class "
     "that is named.",
     put_heat_maps},
    {"filters", "First filters", "The kernels of the first convolution; gray is zero.",
     put_filters},
    {"network", "Network",
     "Time for one picture at a time. A layer in passing is done along with "
     "the one before it.",
     put_network},
    {"run", "How it was made", "The same command gives the same model, to the bit.", put_facts},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

static void put_head(FILE *page, const struct report *report)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<link rel=\"icon\" href=\"data:,\"/>\n<title>",
          page);
    put_title(page, report->model);
    fprintf(page, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", report_style);
}

/* Curves are of a training. */
static bool is_shown(const struct section *section, const struct report *report)
{
    return section->put != put_training || (report->history != NULL && report->history->count > 0);
}

static void put_section(FILE *page, const struct section *section, struct report *report)
{
    fprintf(page, "<section id=\"%s\">\n<h2>%s</h2>\n<p class=\"note\">%s</p>\n", section->id,
            section->title, section->note);
    section->put(page, report);
    fputs("</section>\n", page);
}

static void put_header(FILE *page, const struct report *report)
{
    fputs("<header>\n<p class=\"over\">cats-dogs report</p>\n<h1>", page);
    put_title(page, report->model);
    fputs("</h1>\n", page);
    put_lead(page, report);
    put_tiles(page, report);
    fputs("<nav>\n", page);
    for (int i = 0; i < SECTIONS; i++) {
        if (is_shown(&sections[i], report))
            fprintf(page, "<a href=\"#%s\">%s</a>\n", sections[i].id, sections[i].title);
    }
    fputs("</nav>\n</header>\n", page);
}

void report_page(FILE *page, struct report *report)
{
    put_head(page, report);
    put_header(page, report);
    fputs("<main>\n", page);
    for (int i = 0; i < SECTIONS; i++) {
        if (is_shown(&sections[i], report))
            put_section(page, &sections[i], report);
    }
    fputs("</main>\n</body>\n</html>\n", page);
}
