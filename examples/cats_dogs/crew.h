/* SPDX-License-Identifier: MIT
 * Many pieces of the same work, shared by threads. */
#ifndef CREW_H
#define CREW_H

#include <stdbool.h>
#include <stdint.h>

/* The most threads. */
enum { CREW_MOST = 256 };

struct crew {
    const char *what; /* for the status line, "reading" */
    int64_t count;    /* of pieces */
    int64_t threads;
    /* Does piece `index`; `member`, 0 to threads - 1, says on which thread.  False gives up. */
    bool (*work)(void *user, int64_t member, int64_t index);
    void *user;
};

/* How it ended. */
enum crew_end { CREW_DONE, CREW_FAILED, CREW_INTERRUPTED };

/* Does all pieces, in any order, unless one fails or an interrupt comes. */
enum crew_end crew_run(const struct crew *crew);

#endif
