/* SPDX-License-Identifier: MIT
 * Reports: of a training, which an observer follows (--report), and of a model that is there
 * (cats-dogs report).  What is on the page is in report_page.c. */
#include "report.h"

#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "evaluate.h"
#include "interrupt.h"
#include "output_file.h"
#include "report_network.h"

#include <stdlib.h>

/* ---- Any report ---------------------------------------------------------------------------- */

static void page_into(char **bytes, size_t *size, struct report *report)
{
    FILE *page = open_memstream(bytes, size);

    if (page == NULL)
        return;
    report_page(page, report);
    const bool is_whole = ferror(page) == 0;
    if (fclose(page) == 0 && is_whole)
        return;
    free(*bytes);
    *bytes = NULL;
}

static bool write_page(struct report *report, const char *path)
{
    char *bytes = NULL;
    size_t size = 0;

    page_into(&bytes, &size, report);
    if (bytes == NULL)
        console_error("no memory for the report");
    const bool done = bytes != NULL && output_file_write(path, bytes, size);
    free(bytes);
    return done;
}

bool report_write(struct report *report, const char *path)
{
    const bool done = predictor_create(&report->predictor, report->context, report->model,
                                       report->model_path, report->flips) &&
                      answers_create(&report->answers, &report->predictor, report->dataset) &&
                      (report->seconds = network_seconds(&report->predictor)) != NULL &&
                      write_page(report, path);

    free(report->seconds);
    answers_free(&report->answers);
    predictor_free(&report->predictor);
    return done;
}

/* ---- Of a training ------------------------------------------------------------------------- */

struct report_observer {
    const char *path;
    const struct run *run;
};

static bool create(void **self, const struct options *options)
{
    if (options->report == NULL)
        return true;
    if (!output_file_check("report", options->report, "the report"))
        return false;
    struct report_observer *observer = calloc(1, sizeof *observer);
    if (observer == NULL) {
        console_error("no memory for a report");
        return false;
    }
    observer->path = options->report;
    *self = observer;
    return true;
}

static void start(void *self, const struct run *run)
{
    struct report_observer *observer = self;

    observer->run = run;
}

/* Reports on the best model, which is the one in the file. */
static bool end(void *self, const struct outcome *outcome)
{
    struct report_observer *observer = self;
    const struct run *run = observer->run;
    const struct options *options = run->options;
    struct report report = {
        .command = options->first_command,
        .flips = options->flip_average == 1,
        .model_path = options->output,
        .data_path = options->operand_count > 0 ? options->operands[0] : "drawings",
        .part = run->test_data != NULL ? "test" : "validation",
        .dataset = run->test_data != NULL ? run->test_data : run->validation_data,
        .context = run->context,
        .run = run,
        .history = run->history,
        .outcome = outcome,
    };
    const bool done =
        console_succeeded(cnn_model_load(&report.model, run->context, options->output)) &&
        report_write(&report, observer->path);

    cnn_model_free(report.model);
    return done;
}

const struct observer_class report_observer = {
    .create = create, .start = start, .end = end, .free = free};

/* ---- Of a model that is there -------------------------------------------------------------- */

static bool make_report(struct report *report, const char *path)
{
    return console_succeeded(cnn_context_create(&report->context)) &&
           console_succeeded(cnn_context_set_log(report->context, console_log, NULL)) &&
           console_succeeded(cnn_model_load(&report->model, report->context, report->model_path)) &&
           console_succeeded(
               evaluate_open(&report->dataset, NULL, report->context, report->data_path)) &&
           confusion_same_classes(report->model, report->dataset, report->data_path) &&
           report_write(report, path);
}

int command_report(const struct options *options)
{
    const char *path = options->report != NULL ? options->report : "report.html";
    struct report report = {
        .command = options->command,
        .flips = options->flip_average == 1,
        .model_path = options->operands[0],
        .data_path = options->operands[1],
        .part = "given",
    };

    interrupt_catch();
    const bool done = output_file_check("output", path, "the report") && make_report(&report, path);
    cnn_dataset_free(report.dataset);
    cnn_model_free(report.model);
    cnn_context_free(report.context);
    return done ? EXIT_FINE : EXIT_ERROR;
}
