/* SPDX-License-Identifier: MIT
 * A classifier and the memory to predict one picture at a time. */
#ifndef PREDICTOR_H
#define PREDICTOR_H

#include <cnn.h>

#include <stdbool.h>

struct predictor {
    cnn_context *context; /* borrowed, as is the model */
    cnn_model *model;
    int32_t classes;
    cnn_session *session;
    cnn_tensor *input;  /* [1][height][width][channels] */
    cnn_tensor *output; /* [1][classes] */
};

/* Makes one for a model that was read from `path`, with `flip` of each picture and its mirror
 * image.  False, after a message, when it cannot or the model is no classifier of pictures that
 * gives probabilities; to be freed in any case. */
bool predictor_create(struct predictor *predictor, cnn_context *context, cnn_model *model,
                      const char *path, bool flip);
void predictor_free(struct predictor *predictor);

/* Reads the picture at `path` into `input`; predicts what is there into `output`; does both. */
cnn_status predictor_read(struct predictor *predictor, const char *path);
cnn_status predictor_predict(struct predictor *predictor);
cnn_status predictor_run(struct predictor *predictor, const char *path);

/* The probabilities of the latest run, [classes]. */
const float *predictor_probabilities(const struct predictor *predictor);

/* The class that a network takes a picture for. */
int32_t most_probable(const float *probabilities, int32_t classes);

#endif
