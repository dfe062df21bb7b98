/* SPDX-License-Identifier: MIT
 * The handle of weights from elsewhere, and what it tells of the latest load. */
#include "model/weights_internal.h"

#include "base/context_internal.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/sort.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- The handle ---- */

cnn_status cnn_weights_create(cnn_weights **weights, cnn_context *context)
{
    if (weights == NULL)
        return cnni_fail_null(context, __func__, "weights");
    *weights = NULL;
    if (context == NULL)
        return cnni_fail_null(NULL, __func__, "context");
    CNNI_TRY(cnni_alloc_zero(weights, context, 1, sizeof **weights, __func__));
    (*weights)->context = context;
    (*weights)->strict = true;
    cnni_context_share(context);
    return CNN_OK;
}

void cnn_weights_free(cnn_weights *weights)
{
    if (weights == NULL)
        return;
    cnn_context *context = weights->context;
    cnni_weights_free_rules(weights);
    cnni_report_free(&weights->report);
    cnni_free(context, weights);
    cnni_context_release(context);
}

cnn_status cnn_weights_set_strict(cnn_weights *weights, int32_t strict)
{
    if (weights == NULL)
        return cnni_fail_null(NULL, __func__, "weights");
    if (strict != 0 && strict != 1)
        return cnni_fail(weights->context, CNN_ERROR_INVALID, "%s: strict is %d, must be 0 or 1",
                         __func__, strict);
    weights->strict = strict;
    return CNN_OK;
}

/* ---- Making a report ---- */

cnn_status cnni_report_start(struct cnni_report *report, cnn_context *context, int32_t most,
                             const char *function)
{
    *report = (struct cnni_report){.context = context};
    return cnni_alloc_zero(&report->findings, context, (size_t)most, sizeof *report->findings,
                           function);
}

/* Room for a text with two names, two shapes and some words. */
enum { TEXT_SIZE = 2 * (CNNI_SHOW_SIZE + CNNI_SHAPE_TEXT) + 128 };

cnn_status cnni_report_add(struct cnni_report *report, cnn_weights_outcome outcome,
                           const char *name, const char *function, const char *format, ...)
{
    struct cnni_finding *finding = &report->findings[report->count];
    char text[TEXT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    finding->outcome = outcome;
    finding->number = report->count++;
    report->counts[outcome]++;
    CNNI_TRY(cnni_copy_text(&finding->name, report->context, name, function));
    return cnni_copy_text(&finding->text, report->context, text, function);
}

static int by_outcome(const void *a, const void *b)
{
    const struct cnni_finding *first = a, *second = b;
    return first->outcome != second->outcome ? first->outcome - second->outcome
                                             : first->number - second->number;
}

void cnni_report_sort(struct cnni_report *report)
{
    cnni_sort(report->findings, report->count, sizeof *report->findings, by_outcome);
}

void cnni_report_free(struct cnni_report *report)
{
    for (int32_t i = 0; i < report->count; i++) {
        cnni_free(report->context, report->findings[i].name);
        cnni_free(report->context, report->findings[i].text);
    }
    if (report->context != NULL)
        cnni_free(report->context, report->findings);
    *report = (struct cnni_report){.context = NULL};
}

/* ---- Reading it ---- */

const char *cnn_weights_outcome_name(cnn_weights_outcome outcome)
{
    static const char *const names[] = {
        [CNN_WEIGHTS_MISSING] = "missing",
        [CNN_WEIGHTS_UNEXPECTED] = "unexpected",
        [CNN_WEIGHTS_MISMATCHED] = "mismatched",
        [CNN_WEIGHTS_SKIPPED] = "skipped",
        [CNN_WEIGHTS_KEPT] = "kept",
        [CNN_WEIGHTS_LOADED] = "loaded",
    };
    return outcome >= 1 && outcome < CNNI_COUNT(names) ? names[outcome] : "unknown outcome";
}

int32_t cnn_weights_count(const cnn_weights *weights, cnn_weights_outcome outcome)
{
    return weights == NULL || outcome < 1 || outcome > CNNI_OUTCOMES
               ? 0
               : weights->report.counts[outcome];
}

static const struct cnni_finding *find(const cnn_weights *weights, cnn_weights_outcome outcome,
                                       int32_t index)
{
    if (index < 0 || index >= cnn_weights_count(weights, outcome))
        return NULL;
    for (int32_t i = 1; i < outcome; i++)
        index += weights->report.counts[i];
    return &weights->report.findings[index];
}

const char *cnn_weights_name(const cnn_weights *weights, cnn_weights_outcome outcome, int32_t index)
{
    const struct cnni_finding *finding = find(weights, outcome, index);
    return finding == NULL ? NULL : finding->name;
}

const char *cnn_weights_text(const cnn_weights *weights, cnn_weights_outcome outcome, int32_t index)
{
    const struct cnni_finding *finding = find(weights, outcome, index);
    return finding == NULL ? NULL : finding->text;
}

/* Appends `text` and `end` at `length` of a text of which `size` bytes are kept; returns the new
 * length. */
static size_t append(char *buffer, size_t size, size_t length, const char *text, const char *end)
{
    const bool room = length < size;
    snprintf(room ? buffer + length : NULL, room ? size - length : 0, "%s%s", text, end);
    return length + strlen(text) + strlen(end);
}

size_t cnn_weights_describe(const cnn_weights *weights, char *buffer, size_t size)
{
    size_t length = 0;
    if (buffer == NULL)
        size = 0;
    if (size > 0)
        buffer[0] = '\0';
    if (weights == NULL)
        return 0;
    for (int32_t i = 1; i <= CNNI_OUTCOMES; i++) {
        char count[32];
        snprintf(count, sizeof count, "%d %s", weights->report.counts[i],
                 cnn_weights_outcome_name(i));
        length = append(buffer, size, length, count, i < CNNI_OUTCOMES ? ", " : "\n");
    }
    for (int32_t i = 0; i < weights->report.count; i++)
        length = append(buffer, size, length, weights->report.findings[i].text, "\n");
    return length;
}
