/* SPDX-License-Identifier: MIT
 * Which classes are taken for which others most often. */
#ifndef MISTAKES_H
#define MISTAKES_H

#include <cnn.h>

/* So many pictures of one class were taken for another. */
struct mistake {
    int32_t actual, predicted;
    int64_t count;
};

/* Writes the `most` most frequent mistakes into `found`, or all where there are fewer: the most
 * frequent first, equally frequent ones in the order of classes.  Returns how many they are. */
int mistakes_find(struct mistake *found, int most, const cnn_metrics *metrics);

#endif
