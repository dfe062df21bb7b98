/* SPDX-License-Identifier: MIT
 * A chart as SVG: its frame, its axes, and where things are in it.
 *
 * Every chart has the same size in units that are about pixels: two stand side by side on a screen,
 * one fills a phone.  Colours and lines are classes of report_style.c, and follow its schemes. */
#ifndef REPORT_CHART_H
#define REPORT_CHART_H

#include <stdio.h>

/* The room for the lines is inside of the margins. */
enum {
    CHART_WIDTH = 480,
    CHART_HEIGHT = 274,
    CHART_LEFT = 50,
    CHART_RIGHT = 14,
    CHART_TOP = 12,
    CHART_BOTTOM = 44,
};

struct axis {
    double low, high, step; /* between ticks */
    double scale;           /* what is written: the value times this */
    const char *unit;       /* behind it */
};

struct chart {
    FILE *page;
    struct axis x, y;
};

/* What a line or bar is called, and its class. */
struct chart_key {
    const char *name, *class;
};

/* An axis from a tick at or below `low` to one at or above `high`. */
struct axis chart_axis(double low, double high, double scale, const char *unit);

/* Where a value is. */
double chart_x(const struct chart *chart, double x);
double chart_y(const struct chart *chart, double y);

/* Writes what is around the lines; `keys` say what these are. */
void chart_begin(const struct chart *chart, const char *title, const struct chart_key *keys,
                 int count, const char *x_title);
void chart_end(const struct chart *chart);

/* A bar of its own, without axes, that fills this share of its width: for a cell of a table. */
void chart_meter(FILE *page, double share);

#endif
