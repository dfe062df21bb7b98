/* SPDX-License-Identifier: MIT
 * The command line: one table of options. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Commands that an option belongs to. */
enum { FOR_TRAIN = 1, FOR_EVALUATE = 2, FOR_PREDICT = 4, FOR_DRAW = 8 };

/* What was asked for.  Options that were not given keep the values of `options_default`, or, where
 * their default depends on the network, 0. */
struct options {
    const char *output;
    const char *network;
    int64_t size;
    int64_t epochs;
    int64_t batch;
    int64_t threads;
    int64_t seed;
    int64_t count;
    double learning_rate;
    double validation;
    const char *schedule;
    double ema;         /* decay; 0: no average */
    int64_t accumulate; /* batches */
    int64_t patience;   /* epochs; 0: to the end */
    bool flip_average;
    bool quiet;
    bool help;
    char **operands; /* what is not an option, in order */
    int operand_count;
};

extern const struct options options_default;

/* Reads the arguments behind a command's name.  False, after a message, when one is wrong. */
bool options_read(struct options *options, int command, int argc, char **argv);

#endif
