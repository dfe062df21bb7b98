/* SPDX-License-Identifier: MIT
 * A session: a plan to predict with a model.  Memory is laid out once, with reuse by lifetime;
 * running allocates nothing. */
#ifndef CNN_SESSION_H
#define CNN_SESSION_H

#include "cnn/model.h"

CNN_BEGIN_DECLS

typedef struct cnn_session cnn_session;

/* Plans predictions of 1 to `max_batch` samples at a time.  Shares the model: any number of
 * sessions, one per thread, may predict with it concurrently.  From now on no layer can be added to
 * it.
 * CNN_ERROR_STATE: no layers, or a layer whose output nobody takes.  CNN_ERROR_SHAPE: so many
 * samples are more than memory can hold. */
CNN_API cnn_status cnn_session_create(cnn_session **session, cnn_model *model, int64_t max_batch);

CNN_API void cnn_session_free(cnn_session *session);

/* Predicts: reads `inputs[0]`, float32 [n][input shape], and writes `outputs[0]`, float32
 * [n][output shape], for 1 <= n <= max_batch, in memory of its own.  Both counts are 1.  A sample's
 * result is the same bits in any batch and for any number of threads.  Weights that were set or
 * trained since the last run are used.
 * CNN_ERROR_SHAPE: shapes or types that do not fit.  CNN_ERROR_STATE: the model is in the middle of
 * a training step. */
CNN_API cnn_status cnn_session_run(cnn_session *session, cnn_tensor *const *outputs,
                                   int32_t output_count, const cnn_tensor *const *inputs,
                                   int32_t input_count);

/* Whether each output is the mean of those of the picture and of its mirror image: 1, or 0
 * (default).  Takes twice the time, and room for `max_batch` pictures and outputs, planned here.  A
 * picture and its mirror image then have the same bits.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_SHAPE: the model's input is no picture [h][w][c],
 * or its output no vector.  CNN_ERROR_MEMORY: it stays off. */
CNN_API cnn_status cnn_session_set_flip_averaging(cnn_session *session, int32_t on);

/* Bytes that the session holds besides the model's weights. */
CNN_API size_t cnn_session_bytes(const cnn_session *session);

/* ---- What it does, and how long that takes ------------------------------------------------- */

/* Writes a table of how the session runs the model, a line for each layer: its name, its output's
 * shape, its algorithm with the ReLU and the pooling behind it where those are done in passing, and
 * for one sample millions of floating-point operations (as direct sums, additions and
 * multiplications) and kilobytes (1000 bytes) of inputs, outputs and weights; then, where the first
 * layers run on fewer samples at a time than a batch has, how many and on how many.  Cut short if
 * `size` is too small and always ended by a zero byte; `buffer`, the caller's, may be NULL with
 * `size` 0.  Returns the bytes of the whole text without the zero; 0, and an empty text, for a
 * session that is NULL.  The text is for people: it may change with any version. */
CNN_API size_t cnn_session_describe(const cnn_session *session, char *buffer, size_t size);

/* Begins (1) to measure the time of each layer, from 0, or ends it (0, default: costs nothing).
 * While it measures the session holds 8 bytes more for each layer.
 * CNN_ERROR_INVALID: session is NULL, or `on` neither 0 nor 1.  CNN_ERROR_MEMORY: nothing is
 * measured then. */
CNN_API cnn_status cnn_session_profile(cnn_session *session, int32_t on);

/* The seconds, by the clock, that runs have spent in layer `index`, 0 to the layer count - 1, since
 * cnn_session_profile() began; 0 for layers that another does in passing, where none are measured,
 * for a number there is not and for a session that is NULL. */
CNN_API double cnn_session_layer_seconds(const cnn_session *session, int32_t index);

CNN_END_DECLS

#endif
