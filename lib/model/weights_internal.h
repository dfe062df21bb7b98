/* SPDX-License-Identifier: MIT
 * Weights from elsewhere: names on two sides (weights_names.c), what became of each name
 * (weights.c), and the parameters of a model as one list. */
#ifndef CNNI_WEIGHTS_H
#define CNNI_WEIGHTS_H

#include "cnn/weights.h"
#include "model/model_internal.h"

/* ---- Names ---- */

/* The sides. */
enum { CNNI_IN_FILE, CNNI_IN_MODEL, CNNI_SIDES };

/* `side` has whole names, or with `prefix` what names begin with.  A rule without the file's side
 * is for skipping. */
struct cnni_weights_rule {
    char *side[CNNI_SIDES];
    bool prefix;
};

void cnni_weights_free_rules(cnn_weights *weights);

/* The bytes of room that any name of up to `longest` bytes may need on the other side. */
size_t cnni_weights_room(const cnn_weights *weights, size_t longest);

/* The name, on the other side, of what is called `name` on side `from`; NULL: it is left out.
 * Borrowed from the callback until its next call, or stands in `room`, or is `name`.  `weights` may
 * be NULL, here and below. */
const char *cnni_weights_rename(const cnn_weights *weights, int32_t from, const char *name,
                                char *room);

/* Whether loading leaves alone what the model calls `name`. */
bool cnni_weights_skips(const cnn_weights *weights, const char *name);

/* ---- What became of them ---- */

enum { CNNI_OUTCOMES = CNN_WEIGHTS_LOADED };

struct cnni_finding {
    cnn_weights_outcome outcome;
    int32_t number; /* in the order of finding */
    char *name;
    char *text;
};

/* All zero: nothing was found. */
struct cnni_report {
    cnn_context *context;
    struct cnni_finding *findings;
    int32_t count;
    int32_t counts[CNNI_OUTCOMES + 1]; /* by outcome */
};

/* Makes room for `most` findings. */
cnn_status cnni_report_start(struct cnni_report *report, cnn_context *context, int32_t most,
                             const char *function);

/* Adds one about `name`; the text is formatted. */
__attribute__((format(printf, 5, 6))) cnn_status
cnni_report_add(struct cnni_report *report, cnn_weights_outcome outcome, const char *name,
                const char *function, const char *format, ...);

/* Puts the findings in the order of their outcomes. */
void cnni_report_sort(struct cnni_report *report);

void cnni_report_free(struct cnni_report *report);

/* ---- The handle ---- */

struct cnn_weights {
    cnn_context *context;
    struct cnni_weights_rule *rules;
    int32_t rule_count, rule_room;
    cnn_weights_rename_fn rename[CNNI_SIDES]; /* of names on that side; NULL: by the rules */
    void *rename_user;
    bool strict;
    struct cnni_report report; /* of the latest load */
};

/* ---- A model's parameters ---- */

struct cnni_stored_tensor;

struct cnni_weights_target {
    const char *name;
    cnn_layer *layer;
    struct cnni_parameter *parameter;
    const struct cnni_stored_tensor *tensor; /* that is for it; NULL: none */
};

/* Lists the parameters of `model` in new memory, in its order, and writes how many values the
 * largest has. */
cnn_status cnni_weights_list(struct cnni_weights_target **targets, size_t *largest,
                             const cnn_model *model, const char *function);

#endif
