/* SPDX-License-Identifier: MIT
 * An allocator that keeps accounts and can refuse, to show that nothing leaks whatever fails; what
 * it gives is full of NaN. */
#ifndef SUPPORT_ACCOUNTS_H
#define SUPPORT_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cnn/context.h"

struct accounts {
    _Atomic int64_t calls;  /* of the allocate function */
    int64_t refuse_at;      /* from this call on, counted from 1, NULL is returned; 0: never */
    bool refuse_once;       /* at that call alone */
    _Atomic int64_t blocks; /* that are out */
    _Atomic size_t bytes;   /* in them */
};

/* Makes `accounts` count the memory of a new context from zero. */
void accounts_open(struct accounts *accounts, cnn_context *context);

/* A new context without environment variables whose memory `accounts` counts from zero. */
cnn_context *accounts_context(struct accounts *accounts);

#endif
