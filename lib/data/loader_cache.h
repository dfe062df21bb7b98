/* SPDX-License-Identifier: MIT
 * Decoded pictures kept from one epoch for the next ones: first come, first kept, until the limit
 * is reached.  Threads look things up and add to it without a lock; what is in stays in. */
#ifndef CNNI_LOADER_CACHE_H
#define CNNI_LOADER_CACHE_H

#include <stdatomic.h>

#include "data/image.h"

typedef _Atomic(struct cnni_image *) cnni_kept_image;

struct cnni_cache {
    size_t limit; /* bytes; 0: nothing is kept */
    _Atomic size_t used;
    int64_t count;             /* samples of the dataset */
    cnni_kept_image *pictures; /* [count], each with its pixels behind it; NULL: empty */
};

/* Makes the cache usable, if it is not.  A limit too small for its table keeps nothing. */
cnn_status cnni_cache_prepare(struct cnni_cache *cache, cnn_context *context, int64_t count,
                              const char *function);

/* The picture of sample `index`, or NULL. */
const struct cnni_image *cnni_cache_find(const struct cnni_cache *cache, int64_t index);

/* Keeps a copy of `picture`, where there is room and memory. */
void cnni_cache_keep(struct cnni_cache *cache, cnn_context *context, int64_t index,
                     const struct cnni_image *picture);

/* Frees all pictures; the limit stays. */
void cnni_cache_clear(struct cnni_cache *cache, cnn_context *context);

#endif
