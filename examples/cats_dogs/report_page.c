/* SPDX-License-Identifier: MIT
 * The page from top to bottom.  Each section is a row of a table at the end of this file. */
#include "report.h"

#include "html.h"
#include "report_classes.h"
#include "report_confidence.h"
#include "report_curves.h"
#include "report_layers.h"
#include "report_pictures.h"

#include <math.h>
#include <time.h>

/* ---- Numbers at the top -------------------------------------------------------------------- */

/* One number; none that is not defined. */
static void tile(FILE *page, const char *name, double value, int digits, const char *unit)
{
    if (!isfinite(value))
        return;
    fprintf(page, "<div class=\"tile\"><b>%.*f%s</b><span>%s</span></div>\n", digits, value, unit,
            name);
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
    tile(page, "a prediction", 1e3 * layers_total(report->seconds, report->model), 2, " ms");
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
    classes_mistakes(page, report->model, report->answers.metrics);
    fputs("</div>\n</div>\n", page);
}

static void put_mistakes(FILE *page, struct report *report)
{
    report->is_incomplete |=
        !pictures_gallery(page, &report->answers, &report->predictor, &worst_mistakes);
}

static void put_uncertain(FILE *page, struct report *report)
{
    report->is_incomplete |=
        !pictures_gallery(page, &report->answers, &report->predictor, &most_uncertain);
}

static void put_heat_maps(FILE *page, struct report *report)
{
    report->is_incomplete |= !pictures_heat(page, &report->answers, &report->predictor);
}

static void put_filters(FILE *page, struct report *report)
{
    report->is_incomplete |= !pictures_filters(page, &report->predictor);
}

static void put_network(FILE *page, struct report *report)
{
    layers_table(page, report->model, report->seconds);
    report->is_incomplete |= !layers_plan(page, report->predictor.session);
}

/* ---- How it was made ----------------------------------------------------------------------- */

static void put_fact(FILE *page, const char *name, const char *text)
{
    html_element(page, "dt", name);
    html_element(page, "dd", text);
}

static void put_run(FILE *page, const struct run *run, const struct outcome *outcome)
{
    fprintf(page, "<dt>seed</dt>\n<dd>%lld</dd>\n", (long long)run->options->seed);
    put_fact(page, "network", run->network->name);
    fprintf(page, "<dt>pictures</dt>\n<dd>%lld for training, %lld for validation, ",
            (long long)cnn_dataset_count(run->training_data),
            (long long)cnn_dataset_count(run->validation_data));
    fprintf(page, "%lld for the test</dd>\n",
            run->test_data != NULL ? (long long)cnn_dataset_count(run->test_data) : 0LL);
    fprintf(page, "<dt>epochs</dt>\n<dd>%lld, the best is number %lld</dd>\n",
            (long long)run->options->epochs, (long long)outcome->best_epoch);
    fprintf(page, "<dt>batch</dt>\n<dd>%lld</dd>\n", (long long)run->options->batch);
    fprintf(page, "<dt>highest learning rate</dt>\n<dd>%g</dd>\n", run->options->learning_rate);
}

static void put_input_size(FILE *page, const cnn_model *model)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;

    if (cnn_model_input_shape(shape, &rank, model) != CNN_OK || rank != 3)
        return;
    fprintf(page, "<dt>input</dt>\n<dd>%lld &#215; %lld pixels, %lld channels</dd>\n",
            (long long)shape[1], (long long)shape[0], (long long)shape[2]);
}

static void put_surroundings(FILE *page, const cnn_context *context)
{
    fprintf(page, "<dt>library</dt>\n<dd>libcnn %s</dd>\n", cnn_version_string());
    fputs("<dt>processor</dt>\n<dd>", page);
    html_text(page, cnn_context_cpu_name(context));
    fprintf(page, ", %d threads</dd>\n<dt>date</dt>\n<dd>", (int)cnn_context_threads(context));
    put_date(page);
    fputs("</dd>\n", page);
}

static void put_facts(FILE *page, struct report *report)
{
    fputs("<div class=\"card\">\n<pre class=\"command\"><code>", page);
    html_text(page, report->command);
    fputs("</code></pre>\n<dl>\n", page);
    put_fact(page, "model", report->model_path);
    put_fact(page, "data", report->data_path);
    if (report->run != NULL)
        put_run(page, report->run, report->outcome);
    put_input_size(page, report->model);
    put_fact(page, "predictions",
             report->flips ? "averages over each picture and its mirror image"
                           : "of each picture as it is");
    put_surroundings(page, report->context);
    fputs("</dl>\n</div>\n", page);
}

/* The command of a training that went on to its end; that of one which was interrupted does not say
 * when. */
static void put_made(FILE *page, struct report *report)
{
    if (report->run != NULL && !report->outcome->interrupted)
        html_element(page, "p class=\"note\"",
                     "The same command gives the same model, to the bit.");
    put_facts(page, report);
}

/* ---- The page ------------------------------------------------------------------------------ */

static bool has_curves(const struct report *report)
{
    return report->history != NULL && report->history->count > 0;
}

static bool always(const struct report *report)
{
    return report != NULL;
}

static const struct section {
    const char *id, *title;
    const char *note; /* NULL: none, or one that `put` writes */
    void (*put)(FILE *page, struct report *report);
    bool (*is_wanted)(const struct report *report);
} sections[] = {
    {"training", "Training",
     "Training numbers are met with augmentation and dropout, validation "
     "numbers without.",
     put_training, has_curves},
    {"classes", "Classes", "Rows are what a picture is, columns what it is taken for.", put_classes,
     always},
    {"confidence", "Confidence", "Whether the probability that it gives can be believed.",
     put_confidence, always},
    {"mistakes", "Worst mistakes", "Wrong, and sure of it: the surest first.", put_mistakes,
     always},
    {"uncertain", "Most uncertain", "The two most probable classes are closest here.",
     put_uncertain, always},
    {"heat", "Where it looks",
     "Grad-CAM (Selvaraju et al. 2017): bright pixels speak for the class "
     "that is named.",
     put_heat_maps, always},
    {"filters", "First filters", "The kernels of the first convolution; gray is zero.", put_filters,
     always},
    {"network", "Network",
     "Time for one picture at a time. A layer in passing is done along with "
     "the one before it.",
     put_network, always},
    {"run", "How it was made", NULL, put_made, always},
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

static void put_section(FILE *page, const struct section *section, struct report *report)
{
    fprintf(page, "<section id=\"%s\">\n<h2>%s</h2>\n", section->id, section->title);
    if (section->note != NULL)
        html_element(page, "p class=\"note\"", section->note);
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
        if (sections[i].is_wanted(report))
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
        if (sections[i].is_wanted(report))
            put_section(page, &sections[i], report);
    }
    fputs("</main>\n</body>\n</html>\n", page);
}
