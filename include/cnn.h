/* SPDX-License-Identifier: MIT
 *
 * libcnn: trains and runs convolutional networks on CPUs.
 *
 * This header includes the whole interface, one header per noun, in reading order.  Only opaque
 * handles and functions cross it: no macro or inline function is needed, so that it can be called
 * from any language that has C linkage.
 *
 * Rules that hold everywhere, and that the comments below do not repeat:
 *
 *   Results.    Out-parameters come first: handles that are made, and shapes and numbers that are
 *               written.  Tensors that are filled come behind the handle that fills them, text
 *               buffers with their size last.  A function that can fail returns a `cnn_status`; on
 *               failure, handles it would have created are set to NULL, `cnn_error_message()` says
 *               what was found and what was wanted, and every handle is as it was before the call.
 *               The contents of output buffers are unspecified after a failure.
 *               Any function may return CNN_ERROR_INVALID (a NULL or impossible argument) and
 *               CNN_ERROR_MEMORY (no memory for what it makes, or needs for a while); only the
 *               other statuses are listed.
 *   Lifetime.   Each successful `_create`, `_load`, `_open`, `_wrap` or `_decode` is matched by one
 *               `_free`, in any order, on any thread: a handle keeps alive what it needs.  Freeing
 *               NULL does nothing.
 *   Ownership.  "Shares": both sides hold a reference from then on.  "Borrows for the call": not
 *               used after the function returns.  "Borrowed until ...": a returned pointer that
 *               stays valid until then.
 *   Threads.    Different handles may be used from different threads at any time.  One handle may
 *               be used by one thread at a time, unless its comment says "may be called
 *               concurrently".
 *   Layout.     Activations are NHWC: see tensor.h.
 *
 * A network, a prediction:
 *
 *   cnn_context *context;
 *   cnn_model *model;
 *   cnn_session *session;
 *   cnn_context_create(&context);
 *   cnn_model_load(&model, context, "model.cnn");
 *   cnn_session_create(&session, model, 1);
 *   cnn_session_run(session, &probabilities, 1, &pixels, 1);
 */
#ifndef CNN_H
#define CNN_H

#include "cnn/export.h"
#include "cnn/version.h"
#include "cnn/status.h"
#include "cnn/context.h"
#include "cnn/tensor.h"
#include "cnn/layer.h"
#include "cnn/model.h"
#include "cnn/session.h"
#include "cnn/optimizer.h"
#include "cnn/image.h"
#include "cnn/dataset.h"
#include "cnn/loader.h"
#include "cnn/trainer.h"
#include "cnn/metrics.h"

#endif
