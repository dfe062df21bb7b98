/* SPDX-License-Identifier: MIT
 * Keeps the warnings that a context logs, and checks that they come on the right thread. */
#ifndef SUPPORT_LOG_LINES_H
#define SUPPORT_LOG_LINES_H

#include <pthread.h>

#include "cnn/context.h"

enum { LOG_LINES = 32, LOG_LINE_SIZE = 1024 };

struct log_lines {
    int32_t count;
    char text[LOG_LINES][LOG_LINE_SIZE];
    pthread_t thread;
};

/* Makes `lines`, empty, the log of `context` for calls on this thread. */
void log_lines_keep(struct log_lines *lines, cnn_context *context);

#endif
