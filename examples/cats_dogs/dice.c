/* SPDX-License-Identifier: MIT
 * SplitMix64 (Steele, Lea and Flood 2014): a counter and a mixer, which is plenty for drawings. */
#include "dice.h"

/* The golden ratio's fraction in 64 bits: steps of it never fall into a short cycle. */
static const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

struct dice dice_for(uint64_t seed, uint64_t index)
{
    return (struct dice){mix(mix(seed + golden) ^ index)};
}

static uint64_t next_bits(struct dice *dice)
{
    dice->state += golden;
    return mix(dice->state);
}

float dice_between(struct dice *dice, float low, float high)
{
    return low + (high - low) * (float)(next_bits(dice) >> 40) / 16777216.0f;
}

int dice_below(struct dice *dice, int count)
{
    return (int)(next_bits(dice) % (uint64_t)count);
}

bool dice_chance(struct dice *dice, float probability)
{
    return dice_between(dice, 0.0f, 1.0f) < probability;
}
