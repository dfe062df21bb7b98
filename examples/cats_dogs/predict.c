/* SPDX-License-Identifier: MIT
 * cats-dogs predict: from a picture's file to its class, one line each.
 *
 * A picture that cannot be read is reported and passed over. */
#include "commands.h"
#include "console.h"
#include "predictor.h"

#include <cnn.h>

#include <stdio.h>

/* The most probable class that comes behind `before`, of equals the first; -1: from the beginning,
 * and at the end. */
static int32_t next_class(const float *probability, int32_t classes, int32_t before)
{
    int32_t next = -1;

    for (int32_t i = 0; i < classes; i++) {
        const bool is_behind = before < 0 || probability[i] < probability[before] ||
                               (probability[i] == probability[before] && i > before);
        if (is_behind && (next < 0 || probability[i] > probability[next]))
            next = i;
    }
    return next;
}

/* The path and, with tabs in between, the first `top` classes with their probabilities. */
static void print_classes(const struct predictor *predictor, const char *path, int64_t top)
{
    const float *probability = predictor_probabilities(predictor);
    int32_t class = next_class(probability, predictor->classes, -1);

    printf("%s", path);
    for (int64_t i = 0; i < top && class >= 0; i++) {
        printf("\t%s\t%.4f", cnn_model_class_name(predictor->model, class), probability[class]);
        class = next_class(probability, predictor->classes, class);
    }
    console_line("%s", "");
}

static int predict_all(struct predictor *predictor, const struct options *options)
{
    int result = EXIT_FINE;

    for (int i = 1; i < options->operand_count; i++) {
        if (console_succeeded(predictor_run(predictor, options->operands[i])))
            print_classes(predictor, options->operands[i], options->top);
        else
            result = EXIT_SOME_BAD;
    }
    return result;
}

int command_predict(const struct options *options)
{
    const char *path = options->operands[0];
    cnn_context *context = NULL;
    cnn_model *model = NULL;
    struct predictor predictor = {0};
    int result = EXIT_ERROR;

    if (console_succeeded(cnn_context_create(&context)) &&
        console_succeeded(cnn_model_load(&model, context, path)) &&
        predictor_create(&predictor, context, model, path, options->flip_average == 1))
        result = predict_all(&predictor, options);
    predictor_free(&predictor);
    cnn_model_free(model);
    cnn_context_free(context);
    return result;
}
