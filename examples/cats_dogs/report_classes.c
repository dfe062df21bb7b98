/* SPDX-License-Identifier: MIT
 * Rows are what pictures are, columns what they are taken for.  A cell is as dark as its share of
 * its row, so that classes with few pictures count as much as others. */
#include "report_classes.h"

#include "figures.h"
#include "html.h"
#include "mistakes.h"
#include "report_chart.h"

#include <math.h>
#include <string.h>

/* ---- The matrix ---------------------------------------------------------------------------- */

enum {
    MATRIX = 600,      /* about as wide as all cells are together */
    SMALLEST_CELL = 8, /* so that a hundred classes can be told apart */
    LARGEST_CELL = 104,
    NUMBER_CELL = 26,   /* from here on cells have numbers */
    MOST_CLASSES = 200, /* no picture of more of them would fit a screen */
    MOST_CELLS = 8000,  /* of about 250 bytes: 2 MB */
    LABEL_LETTERS = 18,
};

struct matrix {
    FILE *page;
    const cnn_model *model;
    const cnn_metrics *metrics;
    int32_t classes;
    int cell;       /* pixels */
    int left, top;  /* room for the names */
    int letter;     /* size of the names */
    bool is_turned; /* names of columns are upright */
    int64_t least;  /* mistakes that are made less often have no cell */
};

static int longest_label(const cnn_model *model, int32_t classes)
{
    size_t longest = 4;

    for (int32_t i = 0; i < classes; i++) {
        const size_t length = strlen(cnn_model_class_name(model, i));
        longest = length > longest ? length : longest;
    }
    return longest > LABEL_LETTERS ? LABEL_LETTERS : (int)longest;
}

/* How many kinds of mistakes are made at least `least` times. */
static int32_t count_mistakes(const cnn_metrics *metrics, int32_t classes, int64_t least)
{
    int32_t count = 0;

    for (int32_t i = 0; i < classes * classes; i++)
        count += i / classes != i % classes &&
                 cnn_metrics_confusion(metrics, i / classes, i % classes) >= least;
    return count;
}

/* The smallest of 1, 2, 4 ... that leaves no more cells than there may be. */
static int64_t least_shown(const cnn_metrics *metrics, int32_t classes)
{
    int64_t least = 1;

    while (count_mistakes(metrics, classes, least) > MOST_CELLS)
        least *= 2;
    return least;
}

static struct matrix make_matrix(FILE *page, const cnn_model *model, const cnn_metrics *metrics)
{
    const int32_t classes = cnn_metrics_class_count(metrics);
    const int fitting = MATRIX / (int)(classes > 3 ? classes : classes + 2);
    const int cell = fitting < SMALLEST_CELL  ? SMALLEST_CELL
                     : fitting > LARGEST_CELL ? LARGEST_CELL
                                              : fitting;
    const int letter = cell < 14 ? cell - 1 : 13;
    const int label = longest_label(model, classes) * letter * 5 / 8 + 14;
    const bool is_turned = label > cell;

    return (struct matrix){.page = page,
                           .model = model,
                           .metrics = metrics,
                           .classes = classes,
                           .cell = cell,
                           .left = label + 22,
                           .top = (is_turned ? label : 24) + 22,
                           .letter = letter,
                           .is_turned = is_turned,
                           .least = classes <= MOST_CLASSES ? least_shown(metrics, classes) : 0};
}

/* The middle of row or column `index`. */
static double middle(const struct matrix *matrix, int32_t index, int before)
{
    return before + (index + 0.5) * matrix->cell;
}

static void put_label(const struct matrix *matrix, const char *class, double x, double y,
                      bool turned, const char *name)
{
    fprintf(matrix->page, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" style=\"font-size:%dpx\"",
            class, x, y, matrix->letter);
    if (turned)
        fprintf(matrix->page, " transform=\"rotate(-90 %.1f %.1f)\"", x, y);
    fputs(">", matrix->page);
    html_text_short(matrix->page, name, LABEL_LETTERS);
    fputs("</text>\n", matrix->page);
}

static void put_labels(const struct matrix *matrix)
{
    const double shift = matrix->letter * 0.35; /* from the middle of letters to their foot */

    for (int32_t i = 0; i < matrix->classes; i++) {
        const char *name = cnn_model_class_name(matrix->model, i);
        const double x = middle(matrix, i, matrix->left);
        put_label(matrix, "y", matrix->left - 8, middle(matrix, i, matrix->top) + shift, false,
                  name);
        if (matrix->is_turned)
            put_label(matrix, "start", x + shift, matrix->top - 8, true, name);
        else
            put_label(matrix, "x", x, matrix->top - 10, false, name);
    }
}

/* What rows and columns are. */
static void put_axes(const struct matrix *matrix)
{
    const double half = matrix->classes * matrix->cell / 2.0;

    fprintf(matrix->page, "<text class=\"x soft\" x=\"%.1f\" y=\"12\">taken for</text>\n",
            matrix->left + half);
    fprintf(
        matrix->page,
        "<text class=\"x soft\" x=\"12\" y=\"%.1f\" transform=\"rotate(-90 12 %.1f)\">is</text>\n",
        matrix->top + half, matrix->top + half);
}

/* What cells without pictures show. */
static void put_ground(const struct matrix *matrix)
{
    const int side = matrix->classes * matrix->cell;

    fprintf(matrix->page,
            "<rect class=\"well\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"2\"/>\n",
            matrix->left, matrix->top, side, side);
}

/* "cats taken for dogs: 12, 8.0 %" */
static void put_title(const struct matrix *matrix, int32_t actual, int32_t predicted,
                      long long count, double share)
{
    fputs("<title>", matrix->page);
    html_text_short(matrix->page, cnn_model_class_name(matrix->model, actual), LABEL_LETTERS);
    fputs(actual == predicted ? " as " : " taken for ", matrix->page);
    html_text_short(matrix->page, cnn_model_class_name(matrix->model, predicted), LABEL_LETTERS);
    fprintf(matrix->page, ": %lld, %.1f %%</title>", count, 100 * share);
}

/* The number in a cell, which is light on dark ones. */
static void put_number(const struct matrix *matrix, double x, double y, long long count,
                       double share)
{
    const int cell = matrix->cell;
    const int size = cell >= 60 ? 17 : cell >= 36 ? 13 : 10;

    fprintf(matrix->page, "<text class=\"x%s\" x=\"%.1f\" y=\"%.1f\"", share > 0.35 ? " on" : "",
            x + cell / 2.0, y + cell / 2.0 + size * 0.35);
    fprintf(matrix->page, " style=\"font-size:%dpx\">%lld</text>", size, count);
}

static void put_cell(const struct matrix *matrix, int32_t actual, int32_t predicted)
{
    const long long count = cnn_metrics_confusion(matrix->metrics, actual, predicted);
    const double share = (double)count / (double)cnn_metrics_actual(matrix->metrics, actual);
    const int gap = matrix->cell >= NUMBER_CELL ? 2 : matrix->cell > 10 ? 1 : 0;
    const int side = matrix->cell - gap;
    const int x = matrix->left + predicted * matrix->cell;
    const int y = matrix->top + actual * matrix->cell;

    if (count == 0 || (actual != predicted && count < matrix->least))
        return;
    /* The square root brings out small shares, which most mistakes are. */
    fprintf(matrix->page, "<g><rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"",
            actual == predicted ? "right" : "wrong", x, y, side, side);
    fprintf(matrix->page, " rx=\"%d\" fill-opacity=\"%.3f\">", gap, 0.08 + 0.92 * sqrt(share));
    put_title(matrix, actual, predicted, count, share);
    fputs("</rect>", matrix->page);
    if (matrix->cell >= NUMBER_CELL)
        put_number(matrix, x - gap / 2.0, y - gap / 2.0, count, share);
    fputs("</g>\n", matrix->page);
}

void classes_matrix(FILE *page, const cnn_model *model, const cnn_metrics *metrics)
{
    const struct matrix matrix = make_matrix(page, model, metrics);
    const int width = matrix.left + matrix.classes * matrix.cell + 8;
    const int height = matrix.top + matrix.classes * matrix.cell + 4;

    if (matrix.classes > MOST_CLASSES) {
        fprintf(page, "<p class=\"soft\">A matrix of %d classes has no room here.</p>\n",
                (int)matrix.classes);
        return;
    }
    fprintf(page, "<figure class=\"card\">\n<h3>Confusion matrix</h3>\n<div class=\"wide\">\n");
    fprintf(page, "<svg class=\"matrix%s\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\"",
            matrix.cell < NUMBER_CELL ? " large" : "", width, height, width, height);
    fputs(" role=\"img\" aria-label=\"Confusion matrix\">\n", page);
    put_axes(&matrix);
    put_labels(&matrix);
    put_ground(&matrix);
    for (int32_t i = 0; i < matrix.classes * matrix.classes; i++)
        put_cell(&matrix, i / matrix.classes, i % matrix.classes);
    fputs("</svg>\n</div>\n", page);
    if (matrix.least > 1)
        fprintf(page, "<p class=\"soft\">Mistakes made fewer than %lld times are left out.</p>\n",
                (long long)matrix.least);
    fputs("</figure>\n", page);
}

/* ---- Mistakes ------------------------------------------------------------------------------ */

enum { MOST_MISTAKES = 10 };

static void put_mistake(FILE *page, const struct mistake *mistake, const cnn_model *model,
                        const cnn_metrics *metrics)
{
    const double all = (double)cnn_metrics_actual(metrics, mistake->actual);

    fputs("<tr>", page);
    html_element(page, "td class=\"name\"", cnn_model_class_name(model, mistake->actual));
    html_element(page, "td class=\"name\"", cnn_model_class_name(model, mistake->predicted));
    fprintf(page, "<td>%lld</td><td>%.1f %%</td></tr>\n", (long long)mistake->count,
            100 * (double)mistake->count / all);
}

void classes_mistakes(FILE *page, const cnn_model *model, const cnn_metrics *metrics)
{
    struct mistake mistakes[MOST_MISTAKES];
    const int count = mistakes_find(mistakes, MOST_MISTAKES, metrics);

    if (cnn_metrics_class_count(metrics) == 2 || count == 0)
        return;
    fputs("<div class=\"card\">\n<h3>Most often confused</h3>\n<table>\n<thead><tr><th>is</th>"
          "<th class=\"name\">taken for</th><th>pictures</th><th>of all that "
          "are</th></tr></thead>\n<tbody>\n",
          page);
    for (int i = 0; i < count; i++)
        put_mistake(page, &mistakes[i], model, metrics);
    fputs("</tbody>\n</table>\n</div>\n", page);
}

/* ---- The table ----------------------------------------------------------------------------- */

/* "94.2 %" with a bar under it; a dash where there is nothing to divide by. */
static void put_share(FILE *page, double share)
{
    if (!isfinite(share)) {
        html_element(page, "td", "\xe2\x80\x93");
        return;
    }
    fprintf(page, "<td>%.1f %%", 100 * share);
    chart_meter(page, share);
    fputs("</td>\n", page);
}

static void put_shares(FILE *page, double precision, double recall, double f1)
{
    put_share(page, precision);
    put_share(page, recall);
    put_share(page, f1);
}

/* Others count such classes as 0, scikit-learn for instance. */
static void put_precision_note(FILE *page, const cnn_metrics *metrics)
{
    const int32_t classes = cnn_metrics_class_count(metrics);
    const int32_t taken_for = figures_taken_for(metrics);

    if (taken_for < classes)
        fprintf(
            page,
            "<p class=\"soft\">The mean precision is over %d of %d classes: no picture was taken "
            "for the others.</p>\n",
            (int)taken_for, (int)classes);
}

void classes_table(FILE *page, const cnn_model *model, const cnn_metrics *metrics)
{
    fputs("<div class=\"card\">\n<h3>Class by class</h3>\n<div class=\"wide tall\">\n<table>\n"
          "<thead><tr><th>class</th><th>pictures</th><th>precision</th><th>recall</th><th>F1</th>"
          "</tr></thead>\n<tbody>\n",
          page);
    for (int32_t i = 0; i < cnn_metrics_class_count(metrics); i++) {
        fputs("<tr>", page);
        html_element(page, "td class=\"name\"", cnn_model_class_name(model, i));
        fprintf(page, "<td>%lld</td>\n", (long long)cnn_metrics_actual(metrics, i));
        put_shares(page, cnn_metrics_precision(metrics, i), cnn_metrics_recall(metrics, i),
                   cnn_metrics_f1(metrics, i));
        fputs("</tr>\n", page);
    }
    fprintf(page, "</tbody>\n<tfoot><tr><td>mean</td><td>%lld</td>\n",
            (long long)cnn_metrics_samples(metrics));
    put_shares(page, cnn_metrics_macro_precision(metrics), cnn_metrics_macro_recall(metrics),
               cnn_metrics_macro_f1(metrics));
    fputs("</tr></tfoot>\n</table>\n</div>\n", page);
    put_precision_note(page, metrics);
    fputs("</div>\n", page);
}
