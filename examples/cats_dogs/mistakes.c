/* SPDX-License-Identifier: MIT
 * Going through the confusion matrix once, with the most frequent mistakes until then kept. */
#include "mistakes.h"

#include <string.h>

/* Puts a mistake into its place among the `count` that are kept; returns how many there are now. */
static int keep(struct mistake *kept, int count, int most, struct mistake mistake)
{
    int place = count;

    while (place > 0 && kept[place - 1].count < mistake.count)
        place--;
    if (place == most)
        return count;
    count = count < most ? count + 1 : most;
    memmove(kept + place + 1, kept + place, (size_t)(count - 1 - place) * sizeof *kept);
    kept[place] = mistake;
    return count;
}

int mistakes_find(struct mistake *found, int most, const cnn_metrics *metrics)
{
    const int32_t classes = cnn_metrics_class_count(metrics);
    int held = 0;

    for (int32_t i = 0; i < classes; i++) {
        for (int32_t k = 0; k < classes; k++) {
            const int64_t count = cnn_metrics_confusion(metrics, i, k);
            if (i != k && count > 0)
                held = keep(found, held, most, (struct mistake){i, k, count});
        }
    }
    return held;
}
