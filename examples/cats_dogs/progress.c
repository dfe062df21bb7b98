/* SPDX-License-Identifier: MIT
 * What is shown while a network trains: a bar on a terminal, with a guess how long the rest takes
 * (as long per picture as until now), and a line per epoch everywhere. */
#include "bar.h"
#include "console.h"
#include "observer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 512 };

struct progress_display {
    double started; /* when training began, in seconds of a clock */
    double drawn;   /* when the bar was drawn last */
    double rate;    /* pictures trained per second in this epoch; 0: none yet */
    double resumed; /* pictures of this epoch that were trained on before it was resumed */
    double skipped; /* the share of the training that was done before it was resumed; -1: unknown */
    bool has_bar;
};

/* The share of an epoch that is done. */
static double epoch_share(const cnn_progress *progress)
{
    return (double)cnn_progress_samples(progress) / (double)cnn_progress_samples_total(progress);
}

/* The share of the whole training, with `samples` pictures of this epoch. */
static double training_share(const cnn_progress *progress, double samples)
{
    const bool validating = cnn_progress_get_kind(progress) == CNN_PROGRESS_VALIDATION;
    const double whole_epochs = (double)(cnn_progress_epoch(progress) - 1);
    const double total = (double)cnn_progress_samples_total(progress);

    return (whole_epochs + (validating ? 1.0 : samples / total)) /
           (double)cnn_progress_epochs(progress);
}

/* "1:05:09" or "5:09". */
static void format_duration(char *text, size_t size, double seconds)
{
    const long whole = (long)(seconds + 0.5);

    if (whole >= 3600)
        snprintf(text, size, "%ld:%02ld:%02ld", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, size, "%ld:%02ld", whole / 60, whole % 60);
}

/* As long for each share that is left as for those that were done here. */
static void format_left(char *text, size_t size, const struct progress_display *display,
                        const cnn_progress *progress)
{
    const double share = training_share(progress, (double)cnn_progress_samples(progress));
    const double done = share - display->skipped;

    if (done > 0)
        format_duration(text, size, (display->drawn - display->started) * (1 - share) / done);
    else
        snprintf(text, size, "?");
}

static void draw_bar(struct progress_display *display, const cnn_progress *progress)
{
    const bool validating = cnn_progress_get_kind(progress) == CNN_PROGRESS_VALIDATION;
    char left[32], before[64], after[128], bar[BAR_WIDEST + 1], line[LINE_SIZE];

    format_left(left, sizeof left, display, progress);
    snprintf(before, sizeof before, "%s %lld/%lld ", validating ? "check" : "epoch",
             (long long)cnn_progress_epoch(progress), (long long)cnn_progress_epochs(progress));
    snprintf(after, sizeof after, " %.0f pictures/s  loss %.4f  accuracy %.4f  %s left",
             display->rate, cnn_progress_loss(progress), cnn_progress_accuracy(progress), left);
    bar_format(bar, (int)(strlen(before) + strlen(after)), epoch_share(progress));
    snprintf(line, sizeof line, "%s%s%s", before, bar, after);
    console_status(line);
}

static bool create(void **self, const struct options *options)
{
    if (options->quiet)
        return true;
    *self = calloc(1, sizeof(struct progress_display));
    if (*self == NULL)
        console_error("no memory to show progress");
    return *self != NULL;
}

static void start(void *self, const struct run *run)
{
    struct progress_display *display = self;

    (void)run;
    *display = (struct progress_display){
        .started = bar_now(), .has_bar = console_has_status(), .skipped = -1};
}

/* Steps are alike: those before the first that is seen tell how many pictures they had. */
static void measure_rate(struct progress_display *display, const cnn_progress *progress)
{
    const double samples = (double)cnn_progress_samples(progress);
    const double step = (double)cnn_progress_step(progress);

    if (step == 1 || display->rate == 0)
        display->resumed = samples * (step - 1) / step;
    display->rate = (samples - display->resumed) / (cnn_progress_seconds(progress) + 1e-9);
}

/* Draws the bar, where there is one, at most ten times a second. */
static void step(void *self, const cnn_progress *progress)
{
    struct progress_display *display = self;
    const double time = bar_now();

    if (cnn_progress_get_kind(progress) == CNN_PROGRESS_STEP)
        measure_rate(display, progress);
    if (display->skipped < 0)
        display->skipped = training_share(progress, display->resumed);
    if (!display->has_bar || time - display->drawn < 0.1)
        return;
    display->drawn = time;
    draw_bar(display, progress);
}

static void epoch(void *self, const cnn_progress *progress, enum rank rank)
{
    static const char *const ranks[] = {"", "  best", "  best, saved"};
    const struct progress_display *display = self;

    console_line("epoch %*lld/%lld  loss %.4f  accuracy %.4f  validation loss %.4f  accuracy %.4f"
                 "  %.0f pictures/s%s",
                 cnn_progress_epochs(progress) < 10 ? 1 : 2,
                 (long long)cnn_progress_epoch(progress), (long long)cnn_progress_epochs(progress),
                 cnn_progress_loss(progress), cnn_progress_accuracy(progress),
                 cnn_progress_validation_loss(progress), cnn_progress_validation_accuracy(progress),
                 display->rate, ranks[rank]);
}

const struct observer_class progress_observer = {
    .create = create, .start = start, .step = step, .epoch = epoch, .free = free};
