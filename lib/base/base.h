/* SPDX-License-Identifier: MIT
 * What every file needs: small macros, and arithmetic on sizes that cannot wrap. */
#ifndef CNNI_BASE_H
#define CNNI_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CNNI_COUNT(array) ((int32_t)(sizeof(array) / sizeof((array)[0])))
#define CNNI_MIN(a, b)    ((a) < (b) ? (a) : (b))
#define CNNI_MAX(a, b)    ((a) > (b) ? (a) : (b))

/* Returns from the calling function when `call` fails. */
#define CNNI_TRY(call)                                                                             \
    do {                                                                                           \
        cnn_status cnni_try_status = (call);                                                       \
        if (cnni_try_status != CNN_OK)                                                             \
            return cnni_try_status;                                                                \
    } while (0)

/* For our own mistakes, never the caller's: checked in debug builds, gone in release builds. */
#ifdef CNNI_DEBUG
#define CNNI_ASSERT(condition) ((condition) ? (void)0 : __builtin_trap())
#else
#define CNNI_ASSERT(condition) ((void)sizeof(condition))
#endif

/* Rounding up by division; `b` > 0, `a` >= 0. */
static inline int64_t cnni_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* *product = a * b (*sum = a + b); false, and nothing written, where it does not fit.  Every
 * product of sizes goes through these, but for those that something which exists proves to fit: an
 * array of so many elements, or a shape that cnni_shape_set() has accepted. */
static inline bool cnni_mul_size(size_t *product, size_t a, size_t b)
{
    size_t value;
    if (__builtin_mul_overflow(a, b, &value))
        return false;
    *product = value;
    return true;
}

static inline bool cnni_add_size(size_t *sum, size_t a, size_t b)
{
    size_t value;
    if (__builtin_add_overflow(a, b, &value))
        return false;
    *sum = value;
    return true;
}

static inline bool cnni_mul_int64(int64_t *product, int64_t a, int64_t b)
{
    int64_t value;
    if (__builtin_mul_overflow(a, b, &value))
        return false;
    *product = value;
    return true;
}

static inline bool cnni_add_int64(int64_t *sum, int64_t a, int64_t b)
{
    int64_t value;
    if (__builtin_add_overflow(a, b, &value))
        return false;
    *sum = value;
    return true;
}

#endif
