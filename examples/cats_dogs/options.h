/* SPDX-License-Identifier: MIT
 * The command line: one table of options. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Commands that an option belongs to. */
enum {
    FOR_TRAIN = 1,
    FOR_EVALUATE = 2,
    FOR_PREDICT = 4,
    FOR_DRAW = 8,
    FOR_CHECK = 16,
    FOR_REPORT = 32
};

/* What was asked for.  Options that were not given keep the values of `options_default`, or, where
 * their default depends on the network, 0. */
struct options {
    const char *command;       /* the whole command line as text for a shell */
    const char *first_command; /* of train: the one that the training began with */
    const char *output;
    const char *network;
    const char *class_weights;
    const char *report;      /* NULL: none */
    const char *metrics;     /* NULL: no file */
    const char *tensorboard; /* NULL: no folder */
    const char *checkpoint;  /* NULL: none */
    const char *resume;      /* NULL: a new training */
    int64_t size;
    int64_t predict_size;
    int64_t epochs;
    int64_t batch;
    int64_t threads;
    int64_t seed;
    int64_t count;
    int64_t kinds;
    double learning_rate;
    double validation;
    double label_smoothing; /* of this and all below, -1: the network's */
    double rotation, translation, zoom, shear;
    double color, saturation, hue;
    double erase, mixup, cutmix;
    double test;
    double checkpoint_minutes;
    const char *optimizer; /* NULL: the network's */
    double weight_decay;   /* -1: the network's */
    const char *schedule;
    double ema;         /* decay; -1: the network's */
    int64_t accumulate; /* batches */
    int64_t patience;   /* epochs; 0: to the end */
    bool flip_average;
    bool quiet;
    const char *model; /* NULL: none */
    bool all;
    bool help;
    char **operands; /* what is not an option, in order */
    int operand_count;
    uint64_t given; /* a bit for each option that was, in the table's order */
};

extern const struct options options_default;

/* Reads the arguments behind a command's name.  False, after a message, when one is wrong. */
bool options_read(struct options *options, int command, int argc, char **argv);

/* Calls `put` with each of the options that a training is resumed with and that are not at their
 * default, as an argument "--name=value"; false as soon as it returns false. */
bool options_list(const struct options *options, bool (*put)(void *user, const char *argument),
                  void *user);

/* Takes those options from `saved`, of the checkpoint `name`.  False, after a message, where
 * another value was given of one that must stay. */
bool options_continue(struct options *options, const struct options *saved, const char *name);

#endif
