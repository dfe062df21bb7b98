/* SPDX-License-Identifier: MIT
 * Epochs are all kept; of the steps, of which there may be millions, every first, second, fourth
 * ... whenever there is no more room for all. */
#include "report_history.h"

#include "console.h"

#include <stdbool.h>
#include <stdlib.h>

void history_start(struct history *history)
{
    *history = (struct history){.every = 1};
}

void history_free(struct history *history)
{
    free(history->epochs);
}

/* Leaves every second rate. */
static void thin_out(struct history *history)
{
    for (int i = 0; i < MOST_RATES / 2; i++)
        history->rates[i] = history->rates[2 * i];
    history->rate_count = MOST_RATES / 2;
    history->every *= 2;
}

void history_step(struct history *history, const cnn_progress *progress)
{
    const double samples = (double)cnn_progress_samples(progress);
    const double share = samples / (double)cnn_progress_samples_total(progress);

    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_STEP ||
        history->steps++ % history->every != 0)
        return;
    history->rates[history->rate_count++] = (struct rate){
        (double)cnn_progress_epoch(progress) - 1 + share, cnn_progress_learning_rate(progress)};
    if (history->rate_count == MOST_RATES)
        thin_out(history);
}

/* Makes room for one more epoch. */
static bool grow(struct history *history)
{
    if (history->count < history->room)
        return true;
    const int64_t room = history->room > 0 ? 2 * history->room : 32;
    struct epoch *epochs = realloc(history->epochs, (size_t)room * sizeof *epochs);
    if (epochs == NULL) {
        console_error("no memory for this epoch in the report");
        return false;
    }
    history->epochs = epochs;
    history->room = room;
    return true;
}

void history_epoch(struct history *history, const cnn_progress *progress)
{
    if (!grow(history))
        return;
    history->epochs[history->count++] = (struct epoch){
        .number = (double)cnn_progress_epoch(progress),
        .loss = cnn_progress_loss(progress),
        .accuracy = cnn_progress_accuracy(progress),
        .validation_loss = cnn_progress_validation_loss(progress),
        .validation_accuracy = cnn_progress_validation_accuracy(progress),
        .seconds = cnn_progress_seconds(progress),
    };
}

double history_seconds(const struct history *history)
{
    double sum = 0;

    for (int64_t i = 0; i < history->count; i++)
        sum += history->epochs[i].seconds;
    return sum;
}
