/* SPDX-License-Identifier: MIT
 * What a progress callback can ask. */
#include "model/progress.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "base/real.h"

#include <math.h>

/* ---- Sums ---- */

void cnni_tally_add(struct cnni_tally *tally, const struct cnni_loss_result *result,
                    int64_t samples)
{
    struct cnni_float_state host;
    cnni_float_enter(&host);
    tally->samples += samples;
    tally->loss += result->sum;
    tally->weight += result->weight;
    tally->right += result->right;
    cnni_float_leave(&host);
}

double cnni_tally_loss(const struct cnni_tally *tally)
{
    return cnni_ratio(tally->loss, tally->weight);
}

double cnni_tally_accuracy(const struct cnni_tally *tally, bool classes)
{
    return classes ? cnni_ratio((double)tally->right, (double)tally->samples) : NAN;
}

/* ---- What a callback sees ---- */

const char *cnn_progress_kind_name(cnn_progress_kind kind)
{
    static const char *const names[] = {
        [CNN_PROGRESS_STEP] = "step",
        [CNN_PROGRESS_VALIDATION] = "validation",
        [CNN_PROGRESS_EPOCH] = "epoch",
    };
    return kind >= 1 && kind < CNNI_COUNT(names) ? names[kind] : "unknown progress";
}

cnn_progress_kind cnn_progress_get_kind(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->kind;
}

int64_t cnn_progress_epoch(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->epoch;
}

int64_t cnn_progress_epochs(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->epochs;
}

int64_t cnn_progress_step(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->step;
}

int64_t cnn_progress_steps(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->steps;
}

int64_t cnn_progress_samples(const cnn_progress *progress)
{
    if (progress == NULL)
        return 0;
    return progress->kind == CNN_PROGRESS_VALIDATION ? progress->validation.samples
                                                     : progress->training.samples;
}

int64_t cnn_progress_samples_total(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->samples_total;
}

double cnn_progress_loss(const cnn_progress *progress)
{
    return progress == NULL ? NAN : cnni_tally_loss(&progress->training);
}

double cnn_progress_accuracy(const cnn_progress *progress)
{
    return progress == NULL ? NAN : cnni_tally_accuracy(&progress->training, progress->classes);
}

double cnn_progress_validation_loss(const cnn_progress *progress)
{
    return progress == NULL ? NAN : cnni_tally_loss(&progress->validation);
}

double cnn_progress_validation_accuracy(const cnn_progress *progress)
{
    return progress == NULL ? NAN : cnni_tally_accuracy(&progress->validation, progress->classes);
}

double cnn_progress_learning_rate(const cnn_progress *progress)
{
    return progress == NULL ? 0 : progress->learning_rate;
}

double cnn_progress_seconds(const cnn_progress *progress)
{
    return progress == NULL ? 0 : cnni_seconds() - progress->began;
}
