/* SPDX-License-Identifier: MIT
 * Lines over the epochs: training and validation side by side, the best epoch marked. */
#include "report_curves.h"

#include "report_chart.h"

#include <math.h>
#include <stdbool.h>

/* ---- Lines --------------------------------------------------------------------------------- */

/* A number of each epoch. */
typedef double (*epoch_value)(const struct epoch *epoch);

static double loss(const struct epoch *epoch)
{
    return epoch->loss;
}

static double validation_loss(const struct epoch *epoch)
{
    return epoch->validation_loss;
}

static double accuracy(const struct epoch *epoch)
{
    return epoch->accuracy;
}

static double validation_accuracy(const struct epoch *epoch)
{
    return epoch->validation_accuracy;
}

static double seconds(const struct epoch *epoch)
{
    return epoch->seconds;
}

static const struct chart_key line_keys[] = {{"training", "one"}, {"validation", "two"}};

static void put_line(const struct chart *chart, const struct history *history, epoch_value value,
                     const char *class)
{
    bool is_open = false;

    fprintf(chart->page, "<path class=\"line %s\" d=\"", class);
    for (int i = 0; i < history->count; i++) {
        const struct epoch *epoch = &history->epochs[i];
        const double y = value(epoch);
        if (isfinite(y))
            fprintf(chart->page, "%c%.1f %.1f", is_open ? 'L' : 'M', chart_x(chart, epoch->number),
                    chart_y(chart, y));
        is_open = isfinite(y);
    }
    fputs("\"/>\n", chart->page);
}

static void put_points(const struct chart *chart, const struct history *history, epoch_value value,
                       const char *class)
{
    enum { MOST_POINTS = 50 };

    for (int i = 0; i < history->count && history->count <= MOST_POINTS; i++) {
        const struct epoch *epoch = &history->epochs[i];
        if (isfinite(value(epoch)))
            fprintf(chart->page, "<circle class=\"point %s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.4\"/>",
                    class, chart_x(chart, epoch->number), chart_y(chart, value(epoch)));
    }
    fputs("\n", chart->page);
}

/* Where the pointer is shown the numbers of an epoch. */
static void put_bands(const struct chart *chart, const struct history *history,
                      const epoch_value values[2])
{
    const double every = history->epoch_every > 0 ? (double)history->epoch_every : 1;
    const double width = (chart_x(chart, 1) - chart_x(chart, 0)) * every;

    for (int i = 0; i < history->count; i++) {
        const struct epoch *epoch = &history->epochs[i];
        fprintf(chart->page,
                "<rect class=\"band\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"><title>",
                chart_x(chart, epoch->number) - width / 2, CHART_TOP, width,
                CHART_HEIGHT - CHART_TOP - CHART_BOTTOM);
        fprintf(chart->page, "epoch %.0f: training %.4g%s, validation %.4g%s</title></rect>\n",
                epoch->number, values[0](epoch) * chart->y.scale, chart->y.unit,
                values[1](epoch) * chart->y.scale, chart->y.unit);
    }
}

static void put_best(const struct chart *chart, int64_t best_epoch)
{
    const double x = chart_x(chart, (double)best_epoch);
    const bool is_right = x > CHART_WIDTH - CHART_RIGHT - 80;

    fprintf(chart->page, "<path class=\"mark\" d=\"M%.1f %dV%d\"/>", x, CHART_TOP,
            CHART_HEIGHT - CHART_BOTTOM);
    fprintf(chart->page, "<text class=\"%s\" x=\"%.1f\" y=\"%d\">best: %lld</text>\n",
            is_right ? "y" : "start", is_right ? x - 6 : x + 6, CHART_TOP + 12,
            (long long)best_epoch);
}

/* The smallest and largest of both numbers over all epochs. */
static void find_range(double *low, double *high, const struct history *history,
                       const epoch_value values[2])
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int i = 0; i < 2 * history->count; i++) {
        const double value = values[i % 2](&history->epochs[i / 2]);
        if (isfinite(value)) {
            *low = fmin(*low, value);
            *high = fmax(*high, value);
        }
    }
    if (*low > *high)
        *low = *high = 0;
}

static struct axis epoch_axis(const struct history *history)
{
    const double last = (double)history->last;
    struct axis axis = chart_axis(0, last, 1, "");

    axis.step = fmax(axis.step, 1);
    axis.high = last;
    axis.low = 0;
    return axis;
}

static void put_lines(const struct chart *chart, const char *title, const struct history *history,
                      const epoch_value values[2], int64_t best_epoch)
{
    chart_begin(chart, title, line_keys, 2, "epoch");
    put_bands(chart, history, values);
    put_best(chart, best_epoch);
    for (int i = 0; i < 2; i++) {
        put_line(chart, history, values[i], line_keys[i].class);
        put_points(chart, history, values[i], line_keys[i].class);
    }
    chart_end(chart);
}

static void put_loss(FILE *page, const struct history *history, int64_t best_epoch)
{
    const epoch_value values[] = {loss, validation_loss};
    double low, high;

    find_range(&low, &high, history, values);
    const struct chart chart = {page, epoch_axis(history), chart_axis(0, high, 1, "")};
    put_lines(&chart, "Loss", history, values, best_epoch);
}

static void put_accuracy(FILE *page, const struct history *history, int64_t best_epoch)
{
    const epoch_value values[] = {accuracy, validation_accuracy};
    double low, high;

    find_range(&low, &high, history, values);
    const struct chart chart = {page, epoch_axis(history),
                                chart_axis(low, fmin(high + (high - low) * 0.05, 1), 100, " %")};
    put_lines(&chart, "Accuracy", history, values, best_epoch);
}

/* The largest of `count` numbers, each `stride` bytes behind the one before. */
static double largest(const void *first, int count, size_t stride)
{
    double most = 0;

    for (int i = 0; i < count; i++)
        most = fmax(most, *(const float *)((const char *)first + (size_t)i * stride));
    return most;
}

static void put_rates(FILE *page, const struct history *history)
{
    const struct chart_key key = {"at each step", "one"};
    const double most =
        largest(&history->rates[0].rate, history->rate_count, sizeof history->rates[0]);
    const struct chart chart = {page, epoch_axis(history), chart_axis(0, most, 1, "")};

    chart_begin(&chart, "Learning rate", &key, 1, "epoch");
    fputs("<path class=\"line one\" d=\"", page);
    for (int i = 0; i < history->rate_count; i++)
        fprintf(page, "%c%.1f %.1f", i > 0 ? 'L' : 'M', chart_x(&chart, history->rates[i].moment),
                chart_y(&chart, history->rates[i].rate));
    fputs("\"/>\n", page);
    chart_end(&chart);
}

static void put_seconds(FILE *page, const struct history *history)
{
    const struct chart_key key = {"with validation", "one"};
    const double most =
        largest(&history->epochs[0].seconds, history->count, sizeof history->epochs[0]);
    const struct chart chart = {page, epoch_axis(history), chart_axis(0, most, 1, " s")};

    chart_begin(&chart, "Time of an epoch", &key, 1, "epoch");
    put_line(&chart, history, seconds, "one");
    put_points(&chart, history, seconds, "one");
    chart_end(&chart);
}

void curves_write(FILE *page, const struct history *history, int64_t best_epoch)
{
    put_loss(page, history, best_epoch);
    put_accuracy(page, history, best_epoch);
    put_rates(page, history);
    put_seconds(page, history);
}
