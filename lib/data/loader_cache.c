/* SPDX-License-Identifier: MIT
 * The cache: a table with a pointer per sample.  A picture is complete before its pointer is set,
 * once and for all, so that a reader needs no lock, also in a child after fork(). */
#include "data/loader_cache.h"

#include <string.h>

#include "base/memory.h"

cnn_status cnni_cache_prepare(struct cnni_cache *cache, cnn_context *context, int64_t count,
                              const char *function)
{
    size_t bytes;
    if (cache->pictures != NULL || !cnni_mul_size(&bytes, (size_t)count, sizeof *cache->pictures) ||
        bytes > cache->limit)
        return CNN_OK;
    CNNI_TRY(cnni_alloc_zero(&cache->pictures, context, (size_t)count, sizeof *cache->pictures,
                             function));
    cache->count = count;
    atomic_store_explicit(&cache->used, bytes, memory_order_relaxed);
    return CNN_OK;
}

const struct cnni_image *cnni_cache_find(const struct cnni_cache *cache, int64_t index)
{
    return cache->pictures == NULL
               ? NULL
               : atomic_load_explicit(&cache->pictures[index], memory_order_acquire);
}

/* Takes `bytes` of what is left. */
static bool reserve(struct cnni_cache *cache, size_t bytes)
{
    size_t used = atomic_load_explicit(&cache->used, memory_order_relaxed);
    do
        if (bytes > cache->limit - used)
            return false;
    while (!atomic_compare_exchange_weak_explicit(&cache->used, &used, used + bytes,
                                                  memory_order_relaxed, memory_order_relaxed));
    return true;
}

void cnni_cache_keep(struct cnni_cache *cache, cnn_context *context, int64_t index,
                     const struct cnni_image *picture)
{
    struct cnni_image *kept;
    size_t pixels = cnni_image_bytes(picture);
    /* What the allocator needs for itself counts as well. */
    size_t bytes = sizeof *kept + pixels + 2 * CNNI_ALIGNMENT;
    if (cache->pictures == NULL || !reserve(cache, bytes))
        return;
    if (cnni_alloc(&kept, context, sizeof *kept + pixels, 1, "cnn_loader_next") != CNN_OK) {
        atomic_fetch_sub_explicit(&cache->used, bytes, memory_order_relaxed);
        return;
    }
    *kept = *picture;
    kept->pixels = (uint8_t *)(kept + 1);
    memcpy(kept->pixels, picture->pixels, pixels);
    atomic_store_explicit(&cache->pictures[index], kept, memory_order_release);
}

void cnni_cache_clear(struct cnni_cache *cache, cnn_context *context)
{
    for (int64_t i = 0; cache->pictures != NULL && i < cache->count; i++)
        cnni_free(context, atomic_load_explicit(&cache->pictures[i], memory_order_relaxed));
    cnni_free(context, (void *)cache->pictures);
    cache->pictures = NULL;
    atomic_store_explicit(&cache->used, 0, memory_order_relaxed);
}
