/* SPDX-License-Identifier: MIT
 * Rows are what pictures are, columns what the network takes them for.  Names are as long as they
 * are; columns of the matrix are headed by numbers where names are too long for a line. */
#include "figures.h"

#include "mistakes.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

enum { LINE_WIDTH = 100, MOST_MISTAKES = 20, DIGITS = 24 };

struct table {
    const cnn_metrics *metrics;
    const cnn_model *model;
    int32_t classes;
    int name_width;   /* columns that the longest name takes, at least those of "actual" */
    int number_width; /* digits of the largest count, and of the number of classes */
};

/* ---- Text in columns ----------------------------------------------------------------------- */

/* How many columns UTF-8 takes, where none of its letters is wide. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* `text` with spaces behind it, or before it. */
static void print_left(const char *text, int width)
{
    printf("%s%*s", text, larger(width - width_of(text), 0), "");
}

static void print_right(const char *text, int width)
{
    printf("%*s%s", larger(width - width_of(text), 0), "", text);
}

/* "0.9412", or "-" for what is not defined. */
static void print_figure(double figure)
{
    char text[DIGITS] = "-";

    if (!isnan(figure))
        snprintf(text, sizeof text, "%.4f", figure);
    print_right(text, 11);
}

static const char *name_of(const struct table *table, int32_t index)
{
    return cnn_model_class_name(table->model, index);
}

static int digits_of(int64_t number)
{
    char text[DIGITS];

    return snprintf(text, sizeof text, "%lld", (long long)number);
}

static struct table measure_table(const cnn_metrics *metrics, const cnn_model *model)
{
    struct table table = {metrics, model, cnn_metrics_class_count(metrics), 0, 0};

    table.name_width = width_of("actual");
    table.number_width = digits_of(table.classes);
    for (int32_t i = 0; i < table.classes; i++) {
        table.name_width = larger(table.name_width, width_of(name_of(&table, i)));
        for (int32_t k = 0; k < table.classes; k++)
            table.number_width =
                larger(table.number_width, digits_of(cnn_metrics_confusion(metrics, i, k)));
    }
    return table;
}

/* ---- The matrix ---------------------------------------------------------------------------- */

/* With a column of `width` for each class; `numbers`: these stand for the names above, and before
 * them on the left. */
static void print_matrix(const struct table *table, int width, bool numbers)
{
    const int left = table->name_width + (numbers ? table->number_width + 1 : 0);
    char number[DIGITS];

    printf("%*s  predicted\n", left, "");
    print_left("actual", left);
    for (int32_t column = 0; column < table->classes; column++) {
        snprintf(number, sizeof number, "%d", (int)column + 1);
        printf("  ");
        print_right(numbers ? number : name_of(table, column), width);
    }
    printf("\n");
    for (int32_t row = 0; row < table->classes; row++) {
        if (numbers)
            printf("%*d ", table->number_width, (int)row + 1);
        print_left(name_of(table, row), table->name_width);
        for (int32_t column = 0; column < table->classes; column++)
            printf("  %*lld", width, (long long)cnn_metrics_confusion(table->metrics, row, column));
        printf("\n");
    }
    printf("\n");
}

static void print_mistakes(const struct table *table)
{
    struct mistake mistakes[MOST_MISTAKES];
    const int count = mistakes_find(mistakes, MOST_MISTAKES, table->metrics);

    printf("mistakes, the most frequent first\n");
    for (int i = 0; i < count; i++) {
        printf("%*lld  ", table->number_width, (long long)mistakes[i].count);
        print_left(name_of(table, mistakes[i].actual), table->name_width);
        printf("  taken for  %s\n", name_of(table, mistakes[i].predicted));
    }
    printf(count > 0 ? "\n" : "none\n\n");
}

/* The widest form that fits into a line. */
static void print_confusion(const struct table *table)
{
    const int wide = larger(table->name_width, table->number_width);
    const int64_t columns = table->classes;

    if (table->name_width + columns * (2 + wide) <= LINE_WIDTH)
        print_matrix(table, wide, false);
    else if (table->name_width + 1 + table->number_width + columns * (2 + table->number_width) <=
             LINE_WIDTH)
        print_matrix(table, table->number_width, true);
    else
        print_mistakes(table);
}

/* ---- Class by class ------------------------------------------------------------------------ */

static void print_row(const struct table *table, const char *name, int64_t pictures,
                      double precision, double recall, double f1)
{
    print_left(name, table->name_width);
    printf("%10lld", (long long)pictures);
    print_figure(precision);
    print_figure(recall);
    print_figure(f1);
    printf("\n");
}

int32_t figures_taken_for(const cnn_metrics *metrics)
{
    int32_t count = 0;

    for (int32_t i = 0; i < cnn_metrics_class_count(metrics); i++)
        count += cnn_metrics_predicted(metrics, i) > 0;
    return count;
}

static void print_classes(const struct table *table)
{
    const cnn_metrics *metrics = table->metrics;
    const int32_t taken_for = figures_taken_for(metrics);

    print_left("class", table->name_width);
    printf("  pictures  precision     recall         F1\n");
    for (int32_t i = 0; i < table->classes; i++)
        print_row(table, name_of(table, i), cnn_metrics_actual(metrics, i),
                  cnn_metrics_precision(metrics, i), cnn_metrics_recall(metrics, i),
                  cnn_metrics_f1(metrics, i));
    print_row(table, "(mean)", cnn_metrics_samples(metrics), cnn_metrics_macro_precision(metrics),
              cnn_metrics_macro_recall(metrics), cnn_metrics_macro_f1(metrics));
    if (taken_for < table->classes)
        printf("the mean precision is over %d of %d classes: no picture was taken for the others\n",
               (int)taken_for, (int)table->classes);
    printf("\n");
}

/* ---- Over all samples ---------------------------------------------------------------------- */

static void print_totals(cnn_metrics *metrics, int32_t classes)
{
    const int32_t k = classes > 5 ? 5 : 2;
    const double loss = cnn_metrics_log_loss(metrics);
    const int64_t samples = cnn_metrics_samples(metrics);
    const double accuracy = cnn_metrics_accuracy(metrics);
    double area;

    if (!isnan(loss))
        printf("log loss %.4f\n", loss);
    if (classes == 2 && cnn_metrics_roc_auc(&area, metrics) == CNN_OK && !isnan(area))
        printf("ROC-AUC %.4f\n", area);
    if (classes > 2)
        printf("top-%d accuracy %.4f\n", (int)k, cnn_metrics_top_k_accuracy(metrics, k));
    printf("accuracy %.4f (%lld/%lld)\n", accuracy, llround(accuracy * (double)samples),
           (long long)samples);
}

void figures_print(cnn_metrics *metrics, const cnn_model *model)
{
    const struct table table = measure_table(metrics, model);

    print_confusion(&table);
    print_classes(&table);
    print_totals(metrics, table.classes);
}
