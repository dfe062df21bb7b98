/* SPDX-License-Identifier: MIT
 * Pictures are counted by the probability of the class that they are taken for, in bins of a
 * tenth. */
#include "report_confidence.h"

#include "report_chart.h"

#include <math.h>

enum { BINS = 10 };

/* How many pictures were answered right and wrong, by the probability of the answer. */
struct bins {
    int64_t right[BINS], wrong[BINS];
    int64_t all_right, all_wrong;
};

/* Probabilities are within 0 and 1; whatever else a model might say has a bin, too. */
static int bin_of(float probability)
{
    return (int)fminf(fmaxf(probability, 0) * BINS, BINS - 1);
}

static struct bins count_bins(const struct answers *answers)
{
    struct bins bins = {{0}, {0}, 0, 0};

    for (int64_t i = 0; i < answers->count; i++) {
        const struct answer *answer = &answers->list[i];
        const int bin = bin_of(answer->predicted_probability);
        const bool is_right = answer->predicted == answer->actual;
        bins.right[bin] += is_right;
        bins.wrong[bin] += !is_right;
        bins.all_right += is_right;
        bins.all_wrong += !is_right;
    }
    return bins;
}

/* A bar of `part` of `all`, from `left` to `right` of the width of a bin. */
static void put_bar(const struct chart *chart, const char *class, int bin, double left,
                    double right, int64_t part, int64_t all, const char *what)
{
    if (all == 0)
        return;
    const double share = (double)part / (double)all;
    const double start = chart_x(chart, (bin + left) / BINS);
    const double top = chart_y(chart, share);

    fprintf(chart->page, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\"", class, start,
            top, chart_x(chart, (bin + right) / BINS) - start);
    fprintf(chart->page, " height=\"%.1f\" rx=\"1\"><title>", chart_y(chart, 0) - top);
    fprintf(chart->page, "%d to %d %%: %lld of %lld %s, %.1f %%</title></rect>\n", bin * 100 / BINS,
            (bin + 1) * 100 / BINS, (long long)part, (long long)all, what, 100 * share);
}

/* Guo et al. 2017, "On Calibration of Modern Neural Networks": a reliability diagram. */
static void put_calibration(FILE *page, const struct bins *bins)
{
    const struct chart_key keys[] = {{"share that is right", "one"}, {"as it should be", "plain"}};
    const struct chart chart = {page, chart_axis(0, 1, 100, " %"), chart_axis(0, 1, 100, " %")};

    chart_begin(&chart, "How often it is right", keys, 2, "probability it gives");
    for (int i = 0; i < BINS; i++)
        put_bar(&chart, "bar one", i, 0.06, 0.94, bins->right[i], bins->right[i] + bins->wrong[i],
                "right");
    fprintf(page, "<path class=\"mark ideal\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", chart_x(&chart, 0),
            chart_y(&chart, 0), chart_x(&chart, 1), chart_y(&chart, 1));
    chart_end(&chart);
}

static void put_sureness(FILE *page, const struct bins *bins)
{
    const struct chart_key keys[] = {{"right", "one"}, {"wrong", "two"}};
    double most = 0;

    for (int i = 0; i < BINS; i++) {
        most = fmax(most, (double)bins->right[i] / fmax((double)bins->all_right, 1));
        most = fmax(most, (double)bins->wrong[i] / fmax((double)bins->all_wrong, 1));
    }
    const struct chart chart = {page, chart_axis(0, 1, 100, " %"), chart_axis(0, most, 100, " %")};
    chart_begin(&chart, "How sure it is", keys, 2, "probability it gives");
    for (int i = 0; i < BINS; i++) {
        put_bar(&chart, "bar one", i, 0.06, 0.48, bins->right[i], bins->all_right, "right answers");
        put_bar(&chart, "bar two", i, 0.52, 0.94, bins->wrong[i], bins->all_wrong, "wrong answers");
    }
    chart_end(&chart);
}

void confidence_write(FILE *page, const struct answers *answers)
{
    const struct bins bins = count_bins(answers);

    put_calibration(page, &bins);
    put_sureness(page, &bins);
}
