/* SPDX-License-Identifier: MIT
 * Of the epochs and of the steps, of which there may be millions, every first, second, fourth ...
 * is kept, whenever there is no more room for all.  Which ones depends on their numbers alone: a
 * training that was resumed keeps the same as one that ran through. */
#include "history.h"

#include "batch_meter.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* ---- Keeping ------------------------------------------------------------------------------- */

/* Whether number `number`, from 0 on, is one of every so many. */
static bool is_kept(int64_t number, int64_t every)
{
    return every == 0 || number % every == 0;
}

/* Leaves every second of `most` things of `size` bytes, once there are so many. */
static void thin_out(void *things, int *count, int64_t *every, int most, size_t size)
{
    char *bytes = things;

    if (*count < most)
        return;
    for (size_t i = 1; i < (size_t)most / 2; i++)
        memcpy(bytes + i * size, bytes + 2 * i * size, size);
    *count = most / 2;
    *every = *every == 0 ? 2 : 2 * *every;
}

bool history_step(struct history *history, const cnn_progress *progress)
{
    const double samples = (double)cnn_progress_samples(progress);
    const double share = samples / (double)cnn_progress_samples_total(progress);

    if (cnn_progress_get_kind(progress) != CNN_PROGRESS_STEP ||
        !is_kept(global_step(progress) - 1, history->rate_every))
        return false;
    history->rates[history->rate_count++] =
        (struct rate){(float)((double)cnn_progress_epoch(progress) - 1 + share),
                      (float)cnn_progress_learning_rate(progress)};
    history->spent = history->before + cnn_progress_seconds(progress);
    thin_out(history->rates, &history->rate_count, &history->rate_every, MOST_RATES,
             sizeof *history->rates);
    return true;
}

void history_epoch(struct history *history, const cnn_progress *progress)
{
    const double seconds = history->before + cnn_progress_seconds(progress);

    history->last = cnn_progress_epoch(progress);
    history->seconds += seconds;
    history->before = history->spent = 0;
    if (!is_kept(history->last - 1, history->epoch_every))
        return;
    history->epochs[history->count++] = (struct epoch){
        .number = (float)history->last,
        .loss = (float)cnn_progress_loss(progress),
        .accuracy = (float)cnn_progress_accuracy(progress),
        .validation_loss = (float)cnn_progress_validation_loss(progress),
        .validation_accuracy = (float)cnn_progress_validation_accuracy(progress),
        .seconds = (float)seconds,
    };
    thin_out(history->epochs, &history->count, &history->epoch_every, MOST_EPOCHS,
             sizeof *history->epochs);
}

/* ---- As text ------------------------------------------------------------------------------- */

/* Each number as the eight hexadecimal digits of its bits. */
static char *put_floats(char *text, const void *floats, size_t bytes)
{
    uint32_t bits;

    for (size_t i = 0; i < bytes; i += sizeof bits) {
        memcpy(&bits, (const char *)floats + i, sizeof bits);
        text += sprintf(text, "%08lx", (unsigned long)bits);
    }
    return text;
}

/* Returns what is behind them; NULL where they are not there. */
static const char *take_floats(void *floats, size_t bytes, const char *text)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes; i += sizeof(uint32_t)) {
        uint32_t bits = 0;
        for (int j = 0; j < 8; j++, text++) {
            const char *digit = *text != '\0' ? strchr(digits, *text) : NULL;
            if (digit == NULL)
                return NULL;
            bits = bits << 4 | (uint32_t)(digit - digits);
        }
        memcpy((char *)floats + i, &bits, sizeof bits);
    }
    return text;
}

size_t history_write(char text[HISTORY_SIZE], const struct history *history)
{
    char *end = text;

    end += sprintf(end, "%d %lld %d %lld %lld %.17g %.17g ", history->count,
                   (long long)history->epoch_every, history->rate_count,
                   (long long)history->rate_every, (long long)history->last, history->seconds,
                   history->spent);
    end = put_floats(end, history->epochs, (size_t)history->count * sizeof *history->epochs);
    end = put_floats(end, history->rates, (size_t)history->rate_count * sizeof *history->rates);
    return (size_t)(end - text);
}

/* Whether `count` of `most` things, of every so many, may be as they are. */
static bool is_possible(int count, int most, int64_t every)
{
    return count >= 0 && count < most && every >= 0 && every <= INT64_C(1) << 40;
}

/* What charts rely on: numbers that are in order, and axes that end. */
static bool is_sound(struct history *history)
{
    const int64_t every = history->epoch_every > 0 ? history->epoch_every : 1;
    bool sound = history->last >= (history->count > 0 ? 1 + (history->count - 1) * every : 0) &&
                 isfinite(history->seconds) && isfinite(history->before);

    for (int i = 0; i < history->count; i++) {
        history->epochs[i].number = (float)(1 + i * every);
        sound = sound && isfinite(history->epochs[i].seconds);
    }
    for (int i = 0; i < history->rate_count; i++)
        sound = sound && isfinite(history->rates[i].moment) && isfinite(history->rates[i].rate);
    return sound;
}

bool history_read(struct history *history, const char *text)
{
    long long epoch_every, rate_every, last;
    int length = 0;

    *history = (struct history){.count = 0};
    if (sscanf(text, "%d %lld %d %lld %lld %lf %lf%n", &history->count, &epoch_every,
               &history->rate_count, &rate_every, &last, &history->seconds, &history->before,
               &length) != 7 ||
        text[length] != ' ')
        return false;
    if (!is_possible(history->count, MOST_EPOCHS, epoch_every) ||
        !is_possible(history->rate_count, MOST_RATES, rate_every))
        return false;
    history->epoch_every = epoch_every;
    history->rate_every = rate_every;
    history->last = last;
    history->spent = history->before;
    text = take_floats(history->epochs, (size_t)history->count * sizeof *history->epochs,
                       text + length + 1);
    if (text != NULL)
        text =
            take_floats(history->rates, (size_t)history->rate_count * sizeof *history->rates, text);
    return text != NULL && *text == '\n' && is_sound(history);
}
