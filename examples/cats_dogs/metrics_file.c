/* SPDX-License-Identifier: MIT
 * train --metrics FILE: a line of JSON for the start, each step, each epoch and the end of a
 * training, handed over one by one, so that a program may read along.  The fields are described in
 * examples/README.md. */
#include "batch_meter.h"
#include "console.h"
#include "json_line.h"
#include "log_file.h"
#include "observer.h"

#include <stdlib.h>
#include <time.h>

struct metrics_file {
    struct log_file log;
    struct batch_meter meter;
};

/* ---- Lines --------------------------------------------------------------------------------- */

/* Begins the line of an event.  False once there is nothing to write to. */
static bool begin(struct json_line *json, const struct metrics_file *metrics, const char *event)
{
    if (metrics->log.file == NULL)
        return false;
    json_begin(json, metrics->log.file);
    json_text(json, "event", event);
    return true;
}

static void end(struct json_line *json, struct metrics_file *metrics)
{
    json_end(json);
    log_file_flush(&metrics->log);
}

/* "2026-11-26T01:14:02Z" */
static void put_time(struct json_line *json)
{
    char text[32];
    struct tm parts;
    const time_t now = time(NULL);

    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
    json_text(json, "time", text);
}

static void put_data(struct json_line *json, const struct run *run)
{
    json_list_begin(json, "classes");
    for (int32_t i = 0; i < cnn_dataset_class_count(run->training_data); i++)
        json_list_text(json, cnn_dataset_class_name(run->training_data, i));
    json_list_end(json);
    json_whole(json, "training_samples", cnn_dataset_count(run->training_data));
    json_whole(json, "validation_samples", cnn_dataset_count(run->validation_data));
    json_whole(json, "test_samples",
               run->test_data == NULL ? 0 : cnn_dataset_count(run->test_data));
}

/* ---- The observer -------------------------------------------------------------------------- */

static bool create(void **self, const struct options *options)
{
    struct metrics_file *metrics;

    if (options->metrics == NULL)
        return true;
    *self = metrics = calloc(1, sizeof *metrics);
    if (metrics == NULL)
        console_error("no memory for --metrics %s", options->metrics);
    return metrics != NULL && log_file_append(&metrics->log, "--metrics", options->metrics);
}

static void start(void *self, const struct run *run)
{
    struct metrics_file *metrics = self;
    struct json_line json;

    if (!begin(&json, metrics, "start"))
        return;
    put_time(&json);
    json_text(&json, "command", run->options->command);
    json_whole(&json, "first_step", run->first_step);
    json_text(&json, "version", cnn_version_string());
    json_whole(&json, "seed", run->options->seed);
    json_text(&json, "network", run->network->name);
    json_whole(&json, "size", run->options->size);
    json_whole(&json, "epochs", run->options->epochs);
    json_whole(&json, "batch", run->options->batch);
    json_real(&json, "learning_rate", run->options->learning_rate);
    put_data(&json, run);
    json_whole(&json, "threads", cnn_context_threads(run->context));
    json_text(&json, "cpu", cnn_context_cpu_name(run->context));
    end(&json, metrics);
}

static void step(void *self, const cnn_progress *progress)
{
    struct metrics_file *metrics = self;
    struct json_line json;
    struct batch_figures batch;

    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_STEP ||
        !batch_meter_read(&batch, &metrics->meter, progress) || !begin(&json, metrics, "step"))
        return;
    json_whole(&json, "epoch", cnn_progress_epoch(progress));
    json_whole(&json, "step", cnn_progress_step(progress));
    json_whole(&json, "global_step", global_step(progress));
    json_whole(&json, "samples", batch.samples);
    json_real(&json, "loss", batch.loss);
    json_real(&json, "accuracy", batch.accuracy);
    json_real(&json, "learning_rate", cnn_progress_learning_rate(progress));
    json_real(&json, "seconds", cnn_progress_seconds(progress));
    end(&json, metrics);
}

static void epoch(void *self, const cnn_progress *progress, enum rank rank)
{
    struct metrics_file *metrics = self;
    struct json_line json;

    if (!begin(&json, metrics, "epoch"))
        return;
    json_whole(&json, "epoch", cnn_progress_epoch(progress));
    json_whole(&json, "global_step", global_step(progress));
    json_whole(&json, "samples", cnn_progress_samples(progress));
    json_real(&json, "loss", cnn_progress_loss(progress));
    json_real(&json, "accuracy", cnn_progress_accuracy(progress));
    json_real(&json, "validation_loss", cnn_progress_validation_loss(progress));
    json_real(&json, "validation_accuracy", cnn_progress_validation_accuracy(progress));
    json_real(&json, "learning_rate", cnn_progress_learning_rate(progress));
    json_real(&json, "seconds", cnn_progress_seconds(progress));
    json_flag(&json, "best", rank != ORDINARY);
    end(&json, metrics);
}

static bool end_run(void *self, const struct outcome *outcome)
{
    struct metrics_file *metrics = self;
    struct json_line json;

    if (!begin(&json, metrics, "end"))
        return true;
    put_time(&json);
    json_whole(&json, "best_epoch", outcome->best_epoch);
    json_real(&json, "validation_loss", outcome->validation_loss);
    json_real(&json, "validation_accuracy", outcome->validation_accuracy);
    json_real(&json, "test_accuracy", outcome->test_accuracy);
    json_flag(&json, "interrupted", outcome->interrupted);
    end(&json, metrics);
    return true;
}

static void free_metrics(void *self)
{
    struct metrics_file *metrics = self;

    log_file_close(&metrics->log);
    free(metrics);
}

const struct observer_class metrics_file_observer = {
    .create = create,
    .start = start,
    .step = step,
    .epoch = epoch,
    .end = end_run,
    .free = free_metrics,
};
