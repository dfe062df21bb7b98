/* SPDX-License-Identifier: MIT
 * One layer on its own, held against the double-precision reference: its outputs, and the gradients
 * by all its inputs and parameters against central differences. */
#ifndef SUPPORT_LAYER_GRADIENTS_H
#define SUPPORT_LAYER_GRADIENTS_H

#include "cnn/layer.h"
#include "support/reference.h"

enum { SUBJECT_INPUTS = 3 };

/* What the library computes, as doubles, and how to compute y from the others. */
struct subject {
    void (*forward)(struct subject *subject);
    const void *options; /* what `forward` goes by: a row of a test's table */
    cnn_context *context;
    int64_t channels; /* of the output; 0: as cnn_layer_output_shape() has them for the first input,
                         which is right unless inputs of several sizes are put side by side */

    /* Not the test's to set. */
    int32_t inputs;
    cnn_tensor *tensors[SUBJECT_INPUTS];
    int64_t x_count[SUBJECT_INPUTS], y_count;
    double *x[SUBJECT_INPUTS], *w, *b; /* w, b: or NULL */
    double *y, *dy;
};

/* Gives the subject its next input, [n] and a sample's dimensions, with noise; the first one has
 * no ties and stays away from 0. */
#define ADD_INPUT(subject, ...)                                                                    \
    subject_add_input(subject, (const int64_t[]){__VA_ARGS__},                                     \
                      (int32_t)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
void subject_add_input(struct subject *subject, const int64_t *shape, int32_t rank);

/* The one input of a layer with windows: [n][h][w][c]. */
void subject_add_picture(struct subject *subject, const struct reference_window *window);

/* Runs the library's layer and the reference, fails the test unless all that they give agrees, and
 * frees the layer and the subject's arrays.  Weights and biases become noise; those of a frozen
 * layer have no gradients. */
void expect_layer_gradients(struct subject *subject, cnn_layer *layer);

#endif
