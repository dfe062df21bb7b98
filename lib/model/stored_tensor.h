/* SPDX-License-Identifier: MIT
 * One tensor in a safetensors file: its type, its place, and its values as floats. */
#ifndef CNNI_STORED_TENSOR_H
#define CNNI_STORED_TENSOR_H

#include "base/json_reader.h"
#include "tensor/tensor_internal.h"

struct cnni_stored_type {
    const char *name; /* in files: "F32" */
    int32_t size;     /* bytes of an element; 0 for a type that we do not know */
    /* Converts `count` elements, with the default rounding; NULL: it cannot be done. */
    void (*load)(float *values, const unsigned char *bytes, size_t count);
};

extern const struct cnni_stored_type cnni_stored_f32;

/* The type that files call so; one of size 0 for a name that we do not know. */
const struct cnni_stored_type *cnni_stored_type_named(struct cnni_json_string name);

struct cnni_stored_tensor {
    const char *name;
    const struct cnni_stored_type *type;
    struct cnni_shape shape;
    int64_t offset;             /* among the values */
    const unsigned char *bytes; /* the values */
    size_t size;                /* bytes */
};

/* Of `count` tensors in whatever order, one whose name another has too; and the first that does not
 * begin where the one before ends, whose end is *end.  NULL: none, *end is that of the last.
 * `order` is room for so many pointers. */
const struct cnni_stored_tensor *
cnni_stored_tensors_repeated(const struct cnni_stored_tensor *tensors, int32_t count,
                             const struct cnni_stored_tensor **order);
const struct cnni_stored_tensor *
cnni_stored_tensors_misplaced(int64_t *end, const struct cnni_stored_tensor *tensors, int32_t count,
                              const struct cnni_stored_tensor **order);

/* Floats as they stand in files, little-endian, and back. */
void cnni_store_floats(unsigned char *bytes, const float *values, size_t count);
void cnni_load_floats(float *values, const unsigned char *bytes, size_t count);

#endif
