/* SPDX-License-Identifier: MIT
 * Picture by picture, as predict does, so that each answer is known to be of a certain file. */
#include "report_answers.h"

#include "console.h"
#include "interrupt.h"

#include <stdlib.h>

/* ---- Asking -------------------------------------------------------------------------------- */

/* The most probable class but for `best`. */
static int32_t second_of(const float *probabilities, int32_t classes, int32_t best)
{
    int32_t second = best == 0 ? 1 : 0;

    for (int32_t i = 0; i < classes; i++) {
        if (i != best && probabilities[i] > probabilities[second])
            second = i;
    }
    return second;
}

static struct answer make_answer(const float *probabilities, int32_t classes, int32_t actual,
                                 int64_t index)
{
    const int32_t predicted = most_probable(probabilities, classes);
    const int32_t second = second_of(probabilities, classes, predicted);

    return (struct answer){
        .index = index,
        .actual = actual,
        .predicted = predicted,
        .second = second,
        .actual_probability = probabilities[actual],
        .predicted_probability = probabilities[predicted],
        .margin = probabilities[predicted] - probabilities[second],
    };
}

/* Asks about one picture; a bad one is reported and left out. */
static cnn_status ask(struct answers *answers, struct predictor *predictor, int64_t index)
{
    int32_t *label = cnn_tensor_data(answers->label);
    const cnn_status status = predictor_run(predictor, cnn_dataset_path(answers->dataset, index));

    if (status == CNN_ERROR_MEMORY)
        return status;
    if (!console_succeeded(status)) {
        answers->unreadable++;
        return CNN_OK;
    }
    *label = cnn_dataset_label(answers->dataset, index);
    answers->list[answers->count++] =
        make_answer(predictor_probabilities(predictor), predictor->classes, *label, index);
    return cnn_metrics_add(answers->metrics, predictor->output, answers->label);
}

/* Asks about all, until an interrupt comes. */
static cnn_status ask_all(struct answers *answers, struct predictor *predictor)
{
    const int64_t one = 1;
    const bool was_interrupted = interrupt_seen(); /* then this is all that is still to be done */
    cnn_status status =
        cnn_metrics_create(&answers->metrics, predictor->context, predictor->classes);

    if (status == CNN_OK)
        status = cnn_tensor_create(&answers->label, predictor->context, CNN_INT32, &one, 1);
    for (int64_t i = 0; i < cnn_dataset_count(answers->dataset); i++) {
        if (status == CNN_OK && interrupt_seen() == was_interrupted)
            status = ask(answers, predictor, i);
    }
    return status;
}

bool answers_create(struct answers *answers, struct predictor *predictor, cnn_dataset *dataset)
{
    const int64_t count = cnn_dataset_count(dataset);

    *answers = (struct answers){.dataset = dataset};
    answers->list = calloc((size_t)count, sizeof *answers->list);
    if (answers->list == NULL) {
        console_error("no memory for what the model says of %lld pictures", (long long)count);
        return false;
    }
    if (!console_succeeded(ask_all(answers, predictor)))
        return false;
    const bool is_complete = answers->count + answers->unreadable == count;
    if (!is_complete)
        console_error("interrupted before all pictures were predicted");
    else if (answers->count == 0)
        console_error("found no picture that can be read, wanted some to report on");
    return is_complete && answers->count > 0;
}

void answers_free(struct answers *answers)
{
    cnn_tensor_free(answers->label);
    cnn_metrics_free(answers->metrics);
    free(answers->list);
}

const char *answer_path(const struct answers *answers, const struct answer *answer)
{
    return cnn_dataset_path(answers->dataset, answer->index);
}

/* ---- Orders -------------------------------------------------------------------------------- */

static const struct answer *at(const void *pointer)
{
    return *(const struct answer *const *)pointer;
}

/* The smaller value first; of equal ones the earlier picture. */
static int order_by(float a, float b, const struct answer *first, const struct answer *second)
{
    if (a != b)
        return a < b ? -1 : 1;
    return first->index < second->index ? -1 : 1;
}

static bool is_wrong(const struct answer *answer)
{
    return answer->predicted != answer->actual;
}

static bool is_right(const struct answer *answer)
{
    return answer->predicted == answer->actual;
}

static bool is_any(const struct answer *answer)
{
    return answer != NULL;
}

static int by_error(const void *a, const void *b)
{
    return order_by(at(b)->predicted_probability - at(b)->actual_probability,
                    at(a)->predicted_probability - at(a)->actual_probability, at(a), at(b));
}

static int by_margin(const void *a, const void *b)
{
    return order_by(at(a)->margin, at(b)->margin, at(a), at(b));
}

static int by_sureness(const void *a, const void *b)
{
    return order_by(at(b)->predicted_probability, at(a)->predicted_probability, at(a), at(b));
}

const struct answer_order worst_mistakes = {is_wrong, by_error};
const struct answer_order most_uncertain = {is_any, by_margin};
const struct answer_order surest = {is_right, by_sureness};

const struct answer **answers_sorted(int64_t *count, const struct answers *answers,
                                     const struct answer_order *order)
{
    const struct answer **sorted = calloc((size_t)answers->count, sizeof(const struct answer *));

    *count = 0;
    for (int64_t i = 0; sorted != NULL && i < answers->count; i++) {
        if (order->wants(&answers->list[i]))
            sorted[(*count)++] = &answers->list[i];
    }
    if (sorted != NULL)
        qsort(sorted, (size_t)*count, sizeof *sorted, order->compare);
    return sorted;
}
