/* SPDX-License-Identifier: MIT
 * Frames, axes and their ticks. */
#include "report_chart.h"

#include "html.h"

#include <math.h>

enum { TICKS = 5 };

/* ---- Axes ---------------------------------------------------------------------------------- */

/* The smallest of 1, 2, 5, 10, 20 ... (times a power of ten) that is at least `least`. */
static double round_step(double least)
{
    const double power = pow(10, floor(log10(least)));
    const double steps[] = {1, 2, 5};

    for (int i = 0; i < 3; i++) {
        if (steps[i] * power >= least * (1 - 1e-9))
            return steps[i] * power;
    }
    return 10 * power;
}

struct axis chart_axis(double low, double high, double scale, const char *unit)
{
    const double step = round_step((high > low ? high - low : 1) * scale / TICKS) / scale;

    return (struct axis){.low = floor(low / step + 1e-9) * step,
                         .high = ceil(high / step - 1e-9) * step,
                         .step = step,
                         .scale = scale,
                         .unit = unit};
}

double chart_x(const struct chart *chart, double x)
{
    return CHART_LEFT + (x - chart->x.low) / (chart->x.high - chart->x.low) *
                            (CHART_WIDTH - CHART_LEFT - CHART_RIGHT);
}

double chart_y(const struct chart *chart, double y)
{
    return CHART_HEIGHT - CHART_BOTTOM -
           (y - chart->y.low) / (chart->y.high - chart->y.low) *
               (CHART_HEIGHT - CHART_TOP - CHART_BOTTOM);
}

static int tick_count(const struct axis *axis)
{
    return (int)((axis->high - axis->low) / axis->step + 1.000001);
}

static double tick_at(const struct axis *axis, int index)
{
    const double tick = axis->low + index * axis->step;

    return fabs(tick) < 1e-9 * axis->step ? 0 : tick;
}

static void put_y_axis(const struct chart *chart)
{
    for (int i = 0; i < tick_count(&chart->y); i++) {
        const double value = tick_at(&chart->y, i);
        const double y = chart_y(chart, value);
        fprintf(chart->page, "<path class=\"grid\" d=\"M%d %.1fH%d\"/>", CHART_LEFT, y,
                CHART_WIDTH - CHART_RIGHT);
        fprintf(chart->page, "<text class=\"y\" x=\"%d\" y=\"%.1f\">%.10g%s</text>\n",
                CHART_LEFT - 8, y + 4, value * chart->y.scale, chart->y.unit);
    }
}

static void put_x_axis(const struct chart *chart, const char *title)
{
    const int bottom = CHART_HEIGHT - CHART_BOTTOM;

    fprintf(chart->page, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n", CHART_LEFT, bottom,
            CHART_WIDTH - CHART_RIGHT);
    for (int i = 0; i < tick_count(&chart->x); i++) {
        const double value = tick_at(&chart->x, i);
        fprintf(chart->page, "<text class=\"x\" x=\"%.1f\" y=\"%d\">%.10g%s</text>\n",
                chart_x(chart, value), bottom + 18, value * chart->x.scale, chart->x.unit);
    }
    fprintf(chart->page, "<text class=\"y\" x=\"%d\" y=\"%d\">%s</text>\n",
            CHART_WIDTH - CHART_RIGHT, bottom + 36, title);
}

/* ---- Frames -------------------------------------------------------------------------------- */

void chart_begin(const struct chart *chart, const char *title, const struct chart_key *keys,
                 int count, const char *x_title)
{
    FILE *page = chart->page;

    fputs("<figure class=\"card chart\">\n<figcaption>", page);
    html_element(page, "h3", title);
    for (int i = 0; i < count; i++)
        fprintf(page, "<span class=\"key\"><i class=\"%s\"></i>%s</span>\n", keys[i].class,
                keys[i].name);
    fprintf(page, "</figcaption>\n<svg viewBox=\"0 0 %d %d\" role=\"img\"", CHART_WIDTH,
            CHART_HEIGHT);
    html_attribute(page, "aria-label", title);
    fputs(">\n", page);
    put_y_axis(chart);
    put_x_axis(chart, x_title);
}

void chart_end(const struct chart *chart)
{
    fputs("</svg>\n</figure>\n", chart->page);
}

/* ---- Meters -------------------------------------------------------------------------------- */

void chart_meter(FILE *page, double share)
{
    fprintf(page,
            "<svg class=\"meter\" viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\">"
            "<rect class=\"well\" width=\"100\" height=\"4\"/>"
            "<rect class=\"bar\" width=\"%.1f\" height=\"4\"/></svg>",
            100 * share);
}
