/* SPDX-License-Identifier: MIT
 * The networks that the program can train, each with the recipe that trains it well. */
#ifndef NETWORK_TABLE_H
#define NETWORK_TABLE_H

#include <cnn.h>

#include <stdbool.h>

/* A network and how it is trained, unless the command line says otherwise. */
struct network {
    const char *name;
    cnn_status (*build)(cnn_model *model, cnn_context *context, int64_t classes);
    int64_t size;         /* pictures are resized to size x size */
    int64_t predict_size; /* the same for the finished model; 0: the same size */
    int64_t epochs;
    int64_t drawing_epochs; /* the same for drawings, which are easier */
    int64_t batch;
    const char *optimizer;
    double learning_rate;
    double warmup_epochs;
    double weight_decay;
    double clip_norm;
    double label_smoothing;
    double average;       /* decay of the moving average of the weights; 0: none */
    bool flip_average;    /* validates and tests on mirror images, too */
    double flip;          /* probability of a mirror image */
    double smallest_crop; /* the share of a picture's area that a random crop keeps at least */
    double rotation;      /* degrees */
    double translation;   /* share of a side */
    double zoom;          /* above 1 */
    double shear;         /* degrees */
    double color;         /* brightness and contrast change by up to this share */
    double saturation;    /* the same */
    double hue;           /* degrees */
    double erase;         /* probability of a hole in the picture */
    double mixup, cutmix; /* alpha; 0: none */
};

/* The network of a name; NULL, after a message, for another one. */
const struct network *network_find(const char *name);

#endif
