/* SPDX-License-Identifier: MIT
 * Sums are means times counts: in double precision the difference has all the digits that anybody
 * looks at, and the number of right samples is whole again by rounding. */
#include "batch_meter.h"

#include <math.h>

bool batch_meter_read(struct batch_figures *figures, struct batch_meter *meter,
                      const cnn_progress *progress)
{
    const int64_t samples = cnn_progress_samples(progress);
    const struct batch_meter sums = {
        .samples = samples,
        .loss = cnn_progress_loss(progress) * (double)samples,
        .right = round(cnn_progress_accuracy(progress) * (double)samples),
    };

    if (samples <= meter->samples) /* the first step of another epoch */
        *meter = (struct batch_meter){0};
    const bool known = meter->samples > 0 || cnn_progress_step(progress) == 1;
    const double batch = (double)(samples - meter->samples);
    *figures = (struct batch_figures){
        .samples = samples - meter->samples,
        .loss = (sums.loss - meter->loss) / batch,
        .accuracy = (sums.right - meter->right) / batch,
    };
    *meter = sums;
    return known;
}

int64_t global_step(const cnn_progress *progress)
{
    return (cnn_progress_epoch(progress) - 1) * cnn_progress_steps(progress) +
           cnn_progress_step(progress);
}
