/* SPDX-License-Identifier: MIT
 * A report: one page of HTML about a model and how it was trained, which needs no other file. */
#ifndef REPORT_H
#define REPORT_H

#include "observer.h"
#include "report_answers.h"
#include "history.h"

#include <stdbool.h>
#include <stdio.h>

/* What a report is about. */
struct report {
    const char *command; /* that was given; of a training, the one that it began with */
    bool flips;          /* answers are averaged over pictures and their mirror images */
    const char *model_path;
    const char *data_path;
    const char *part;     /* what the pictures are: "test", "validation" */
    cnn_dataset *dataset; /* to ask the model about */
    cnn_context *context;
    cnn_model *model;
    /* Of the training; NULL where there was none. */
    const struct run *run;
    const struct history *history;
    const struct outcome *outcome;
    /* Made by report_write(). */
    struct predictor predictor;
    struct answers answers;
    double *seconds;    /* of each layer, for one picture */
    bool is_incomplete; /* there was no memory for something on the page */
};

/* Asks the model about all pictures and writes the page to `path`: complete or not at all.  False
 * after a message when it cannot, and when it was interrupted. */
bool report_write(struct report *report, const char *path);

/* Writes the page, and whether it is incomplete into `report`. */
void report_page(FILE *page, struct report *report);

/* The style of the page, as CSS without a "<" or "&". */
extern const char report_style[];

#endif
