/* SPDX-License-Identifier: MIT
 * Which class is taken for which, and how well each is known. */
#ifndef REPORT_CLASSES_H
#define REPORT_CLASSES_H

#include "report_answers.h"

#include <stdio.h>

/* The confusion matrix as SVG: cells with numbers for few classes, shades for many. */
void classes_matrix(FILE *page, const cnn_model *model, const cnn_metrics *metrics);

/* The classes that are taken for each other most often; nothing where there are only two. */
void classes_mistakes(FILE *page, const cnn_model *model, const cnn_metrics *metrics);

/* Precision, recall and F1 of each class. */
void classes_table(FILE *page, const cnn_model *model, const cnn_metrics *metrics);

#endif
