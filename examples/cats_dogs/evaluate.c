/* SPDX-License-Identifier: MIT
 * cats-dogs evaluate: how right a model is on pictures whose class is known. */
#include "commands.h"
#include "confusion.h"
#include "console.h"
#include "evaluate.h"
#include "interrupt.h"

#include <cnn.h>

cnn_status evaluate_open(cnn_dataset **dataset, cnn_part *part, cnn_context *context,
                         const char *path)
{
    static const cnn_part parts[] = {CNN_TEST, CNN_VALIDATION, CNN_TRAIN};
    cnn_status status = CNN_ERROR_NOT_FOUND;

    for (size_t i = 0; status == CNN_ERROR_NOT_FOUND && i < sizeof parts / sizeof parts[0]; i++) {
        status = cnn_dataset_open(dataset, context, path, parts[i]);
        if (part != NULL)
            *part = parts[i];
    }
    return status;
}

int command_evaluate(const struct options *options)
{
    const char *model_path = options->operands[0];
    const char *data_path = options->operands[1];
    cnn_context *context = NULL;
    cnn_model *model = NULL;
    cnn_dataset *dataset = NULL;
    cnn_part part = CNN_TEST;
    static const char *const what[] = {[CNN_TEST] = "the test pictures",
                                       [CNN_VALIDATION] = "the validation pictures",
                                       [CNN_TRAIN] = "all pictures"};

    interrupt_catch();
    const bool done =
        console_succeeded(cnn_context_create(&context)) &&
        console_succeeded(cnn_context_set_log(context, console_log, NULL)) &&
        console_succeeded(cnn_model_load(&model, context, model_path)) &&
        console_succeeded(evaluate_open(&dataset, &part, context, data_path)) &&
        confusion_same_classes(model, dataset, data_path) &&
        confusion_report(NULL, context, model, dataset, what[part], options->flip_average == 1);
    if (!done && interrupt_seen())
        console_error("interrupted before all pictures were predicted");
    cnn_dataset_free(dataset);
    cnn_model_free(model);
    cnn_context_free(context);
    return done ? EXIT_FINE : EXIT_ERROR;
}
