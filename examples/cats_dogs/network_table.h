/* SPDX-License-Identifier: MIT
 * The networks that the program can train, each with the recipe that trains it well. */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <cnn.h>

#include <stdbool.h>
#include <stddef.h>

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
    bool flips;           /* validates and tests on mirror images, too */
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

/* The network called `name`; NULL if there is none. */
const struct network *network_find(const char *name);

/* Writes all names, "classic, default or resnet", into `text` of `size` bytes. */
void network_names(char *text, size_t size);

/* Creates the model for colour pictures of `size` x `size` and the classes of `dataset`.  False,
 * after a message, when it cannot; `model` is then incomplete or NULL, and still to be freed. */
bool network_create(cnn_model **model, cnn_context *context, const struct network *network,
                    int64_t size, const cnn_dataset *dataset);

/* Saves what `model` has learnt as a model for pictures of `size` x `size`. */
cnn_status network_save(const cnn_model *model, int64_t size, const char *path);

/* Prints a line per layer: what it is, the shape of its output, how many parameters it has. */
void network_print(cnn_model *model);

#endif
