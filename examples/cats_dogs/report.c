/* SPDX-License-Identifier: MIT
 * Reports: of a training, which an observer follows (--report), and of a model that is there
 * (cats-dogs report).  What is on the page is in report_page.c. */
#include "report.h"

#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "evaluate.h"
#include "interrupt.h"
#include "memory_file.h"
#include "output_file.h"
#include "outputs.h"
#include "report_layers.h"

#include <stdlib.h>

/* ---- Any report ---------------------------------------------------------------------------- */

static bool page_into(struct memory_file *memory, struct report *report)
{
    FILE *page = memory_file_open(memory);

    if (page == NULL)
        return false;
    report_page(page, report);
    return memory_file_close(memory, page, !report->is_incomplete);
}

static bool write_page(struct report *report, const char *path)
{
    struct memory_file memory;

    if (!page_into(&memory, report)) {
        console_error("no memory for the report");
        return false;
    }
    const bool done = output_file_write(path, memory.bytes, memory.size);
    free(memory.bytes);
    return done;
}

bool report_write(struct report *report, const char *path)
{
    const bool done = predictor_create(&report->predictor, report->context, report->model,
                                       report->model_path, report->flips) &&
                      answers_create(&report->answers, &report->predictor, report->dataset) &&
                      (report->seconds = layers_seconds(&report->predictor)) != NULL &&
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
    const bool done = outputs_check_report(options, path) && make_report(&report, path);
    cnn_dataset_free(report.dataset);
    cnn_model_free(report.model);
    cnn_context_free(report.context);
    return done ? EXIT_FINE : EXIT_ERROR;
}
