/* SPDX-License-Identifier: MIT
 * cats-dogs evaluate: how right a model is on pictures whose class is known. */
#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "evaluate.h"
#include "interrupt.h"

#include <cnn.h>

cnn_status evaluate_open(cnn_dataset **dataset, cnn_context *context, const char *path)
{
    const cnn_status status = cnn_dataset_open(dataset, context, path, CNN_TEST);

    return status == CNN_ERROR_NOT_FOUND ? cnn_dataset_open(dataset, context, path, CNN_TRAIN)
                                         : status;
}

int command_evaluate(const struct options *options)
{
    const char *model_path = options->operands[0];
    const char *data_path = options->operands[1];
    cnn_context *context = NULL;
    cnn_model *model = NULL;
    cnn_dataset *dataset = NULL;

    interrupt_catch();
    const bool done = console_succeeded(cnn_context_create(&context)) &&
                      console_succeeded(cnn_context_set_log(context, console_log, NULL)) &&
                      console_succeeded(cnn_model_load(&model, context, model_path)) &&
                      console_succeeded(evaluate_open(&dataset, context, data_path)) &&
                      confusion_same_classes(model, dataset, data_path) &&
                      confusion_report(NULL, context, model, dataset, options->flip_average);
    if (!done && interrupt_seen())
        console_error("interrupted before all pictures were predicted");
    cnn_dataset_free(dataset);
    cnn_model_free(model);
    cnn_context_free(context);
    return done ? EXIT_FINE : EXIT_ERROR;
}
