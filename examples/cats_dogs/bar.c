/* SPDX-License-Identifier: MIT
 * Drawing a bar of characters. */
#include "bar.h"

#include "console.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { NARROWEST = 12 };

void bar_format(char text[BAR_WIDEST + 1], int others, double share)
{
    const int room = console_status_width() - others;
    const int width = room < NARROWEST ? NARROWEST : room > BAR_WIDEST ? BAR_WIDEST : room;
    const int inner = width - 2;
    const int done = (int)(share * inner);

    text[0] = '[';
    memset(text + 1, '=', (size_t)done);
    memset(text + 1 + done, ' ', (size_t)(inner - done));
    if (done < inner)
        text[1 + done] = '>';
    text[1 + inner] = ']';
    text[width] = '\0';
}

double bar_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void bar_step(struct bar *bar, int64_t done)
{
    const double time = bar_now();
    char before[64], text[BAR_WIDEST + 1], line[sizeof before + sizeof text];

    if (!console_has_status() || time - bar->drawn < 0.1)
        return;
    bar->drawn = time;
    const int length = snprintf(before, sizeof before, "%s %lld/%lld ", bar->what, (long long)done,
                                (long long)bar->count);
    bar_format(text, length, (double)done / (double)bar->count);
    snprintf(line, sizeof line, "%s%s", before, text);
    console_status(line);
}
