/* SPDX-License-Identifier: MIT
 * Random numbers for the drawings: the same seed gives the same pictures on every machine. */
#ifndef DICE_H
#define DICE_H

#include <stdbool.h>
#include <stdint.h>

/* The elements of an array, as dice_below() takes them. */
#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

struct dice {
    uint64_t state;
};

/* Dice for picture number `index` of the drawings with this seed, independent of all others. */
struct dice dice_for(uint64_t seed, uint64_t index);

/* A number from `low` to `high`, evenly. */
float dice_between(struct dice *dice, float low, float high);

/* A whole number from 0 to `count` - 1. */
int dice_below(struct dice *dice, int count);

/* True with this probability. */
bool dice_chance(struct dice *dice, float probability);

#endif
