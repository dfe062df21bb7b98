/* SPDX-License-Identifier: MIT
 * cats-dogs predict: from a picture's file to its class, one line each.
 *
 * A picture that cannot be read is reported and passed over. */
#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "predictor.h"

#include <cnn.h>

static void print_best(const struct predictor *predictor, const char *path)
{
    const float *probability = predictor_probabilities(predictor);
    const int32_t best = most_probable(probability, predictor->classes);

    console_line("%s\t%s\t%.4f", path, cnn_model_class_name(predictor->model, best),
                 probability[best]);
}

static int predict_all(struct predictor *predictor, const struct options *options)
{
    int result = EXIT_FINE;

    for (int i = 1; i < options->operand_count; i++) {
        if (console_succeeded(predictor_run(predictor, options->operands[i])))
            print_best(predictor, options->operands[i]);
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
