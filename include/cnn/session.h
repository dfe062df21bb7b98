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

/* Bytes that the session holds besides the model's weights. */
CNN_API size_t cnn_session_bytes(const cnn_session *session);

CNN_END_DECLS

#endif
