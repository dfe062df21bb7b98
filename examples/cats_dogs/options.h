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

/* A number that was not given and whose usual value the option alone does not say. */
enum { UNSET = -1 };

/* The most pixels that a side of pictures may have. */
enum { LARGEST_SIZE = 4096 };

/* What was asked for.  Options that were not given have the values of `options_default`; of texts
 * NULL is none. */
struct options {
    const char *command;       /* the whole command line as text for a shell */
    const char *first_command; /* of train: the one that the training began with */
    char **operands;           /* what is not an option, in order */
    int operand_count;
    uint64_t given; /* a bit for each option that was, in the table's order */
    bool help;

    /* ---- Of several commands ---- */
    int64_t threads; /* 0: one for each processor */
    int64_t seed;
    int64_t size;         /* of train: the network's unless given */
    int64_t flip_average; /* 1, 0 or UNSET; of train: the network's unless given */
    const char *report;

    /* ---- Of train: files ---- */
    const char *output;
    const char *metrics;
    const char *tensorboard;
    const char *checkpoint;
    const char *resume;
    double checkpoint_minutes;
    bool quiet;

    /* ---- Of train: the same for all networks ---- */
    const char *network;
    const char *schedule;
    const char *class_weights;
    double validation, test; /* shares; test is UNSET until it is known what DATA has */
    int64_t accumulate;      /* batches */
    int64_t patience;        /* epochs; UNSET: to the end */

    /* ---- Of train: UNSET or NULL until recipe_complete() has filled them in ---- */
    int64_t predict_size;
    int64_t epochs;
    int64_t batch;
    const char *optimizer;
    double learning_rate;
    double weight_decay;
    double ema; /* decay */
    double label_smoothing;
    double flip, crop;
    double rotation, translation, zoom, shear;
    double color, saturation, hue;
    double erase, mixup, cutmix;

    /* ---- Of predict, check and draw ---- */
    int64_t top; /* classes */
    const char *model;
    bool all;
    int64_t count;
    int64_t kinds;
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
