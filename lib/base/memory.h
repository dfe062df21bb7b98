/* SPDX-License-Identifier: MIT
 * Memory from the context's allocator, 64-byte aligned.  Every allocation of the library comes from
 * here, except those of libjpeg and libpng. */
#ifndef CNNI_MEMORY_H
#define CNNI_MEMORY_H

#include "base/base.h"
#include "cnn/context.h"

enum { CNNI_ALIGNMENT = 64 };

/* `count` elements of `size` bytes in *memory, with `_zero` all 0.  On failure *memory is NULL and
 * the text is set with `function` and the number of bytes.  Zero elements give a valid pointer. */
cnn_status cnni_alloc(void *memory /* any_type ** */, cnn_context *context, size_t count,
                      size_t size, const char *function);
cnn_status cnni_alloc_zero(void *memory /* any_type ** */, cnn_context *context, size_t count,
                           size_t size, const char *function);

/* Gives memory back; NULL does nothing. */
void cnni_free(cnn_context *context, void *memory);

/* A copy of a text. */
cnn_status cnni_copy_text(char **copy, cnn_context *context, const char *text,
                          const char *function);

#endif
