/* SPDX-License-Identifier: MIT
 * The bar of a status line, and the clock that says when to draw it again. */
#ifndef BAR_H
#define BAR_H

#include <stdint.h>

/* The widest bar; a text for one has a byte more. */
enum { BAR_WIDEST = 32 };

/* Writes "[=====>    ]" with `share`, 0 to 1, of it done: as wide as fits beside `others` other
 * characters on the status line, within bounds. */
void bar_format(char text[BAR_WIDEST + 1], int others, double share);

/* Seconds of a clock that only goes forward. */
double bar_now(void);

/* A bar for work on a number of things, "reading 12/100 [==>    ]". */
struct bar {
    const char *what;
    int64_t count;
    double drawn; /* when, last; 0 at first */
};

/* Draws it on a terminal, at most ten times a second. */
void bar_step(struct bar *bar, int64_t done);

#endif
