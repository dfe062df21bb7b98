/* SPDX-License-Identifier: MIT
 * N-dimensional arrays.
 *
 * Layout, here and everywhere in the library: row-major, the last dimension contiguous, no gaps.
 * A batch of pictures or feature maps is NHWC: [n][h][w][c], that is sample, row, column, channel.
 * One picture is [h][w][c].  A batch of vectors is [n][features].  Convert from and to PyTorch's
 * [n][c][h][w] with cnn_tensor_from_nchw() and cnn_tensor_to_nchw(). */
#ifndef CNN_TENSOR_H
#define CNN_TENSOR_H

#include "cnn/context.h"

CNN_BEGIN_DECLS

typedef struct cnn_tensor cnn_tensor;

/* The type of a tensor's elements. */
typedef int32_t cnn_dtype;

enum {
    CNN_FLOAT32 = 1, /* activations, weights, gradients */
    CNN_UINT8 = 2,   /* decoded pictures, 0 .. 255 */
    CNN_INT32 = 3    /* class labels, 0 .. classes - 1 */
};

/* The most dimensions that a tensor has. */
enum { CNN_MAX_RANK = 8 };

/* The name of `dtype`, "float32"; "unknown type" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_dtype_name(cnn_dtype dtype);

/* Bytes of one element of `dtype`; 0 for a number that is no type. */
CNN_API size_t cnn_dtype_size(cnn_dtype dtype);

/* Creates a tensor of `rank` dimensions (1 to 8) of `shape[0] ... shape[rank - 1]` elements, each
 * at least 1, all elements 0.  Its memory is aligned to 64 bytes.  `shape` is borrowed for the
 * call.  CNN_ERROR_SHAPE: a dimension below 1, or more bytes than a size_t counts. */
CNN_API cnn_status cnn_tensor_create(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                                     const int64_t *shape, int32_t rank);

/* Told that wrapped memory is no longer used, on the thread that freed the last reference. */
typedef void (*cnn_tensor_release_fn)(void *user, void *data);

/* Creates a tensor over the caller's memory, without copying.  `data`, aligned to the element's
 * size, is borrowed until `release(user, data)` is called, or, where `release` is NULL, until the
 * tensor and every handle that shares it are freed.  On failure `release` is not called.
 * CNN_ERROR_SHAPE: as cnn_tensor_create(). */
CNN_API cnn_status cnn_tensor_wrap(cnn_tensor **tensor, cnn_context *context, cnn_dtype dtype,
                                   const int64_t *shape, int32_t rank, void *data,
                                   cnn_tensor_release_fn release, void *user);

CNN_API void cnn_tensor_free(cnn_tensor *tensor);

/* The element type, the number of dimensions, of all elements, of all bytes.  0 for NULL. */
CNN_API cnn_dtype cnn_tensor_dtype(const cnn_tensor *tensor);
CNN_API int32_t cnn_tensor_rank(const cnn_tensor *tensor);
CNN_API int64_t cnn_tensor_count(const cnn_tensor *tensor);
CNN_API size_t cnn_tensor_bytes(const cnn_tensor *tensor);

/* The size of dimension `axis`, 0 .. rank - 1; negative counts from the end.  0 for one it does not
 * have. */
CNN_API int64_t cnn_tensor_dim(const cnn_tensor *tensor, int32_t axis);

/* The elements, to read and write.  Borrowed until the tensor is freed.  NULL for NULL. */
CNN_API void *cnn_tensor_data(cnn_tensor *tensor);
CNN_API const void *cnn_tensor_const_data(const cnn_tensor *tensor);

/* Gives the same elements another shape, in place.
 * CNN_ERROR_SHAPE: another number of elements. */
CNN_API cnn_status cnn_tensor_reshape(cnn_tensor *tensor, const int64_t *shape, int32_t rank);

/* Sets every element to `value`, rounded to the element type.
 * CNN_ERROR_INVALID: a value that an integer element cannot hold. */
CNN_API cnn_status cnn_tensor_fill(cnn_tensor *tensor, double value);

/* Copies `source` into `target`; both have the same type and shape.  CNN_ERROR_SHAPE if not. */
CNN_API cnn_status cnn_tensor_copy(cnn_tensor *target, const cnn_tensor *source);

/* Copies [n][c][h][w] into [n][h][w][c], and back.  Any element type, the same on both sides.
 * CNN_ERROR_SHAPE: not of rank 4, or sizes or types that do not match. */
CNN_API cnn_status cnn_tensor_from_nchw(cnn_tensor *nhwc, const cnn_tensor *nchw);
CNN_API cnn_status cnn_tensor_to_nchw(cnn_tensor *nchw, const cnn_tensor *nhwc);

CNN_END_DECLS

#endif
