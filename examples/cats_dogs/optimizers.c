/* SPDX-License-Identifier: MIT
 * Optimizers: a function and a row each. */
#include "optimizers.h"

#include "choices.h"

/* With Nesterov's momentum, and weight decay on weights alone: a normalisation's scale and shift,
 * and biases, say how large values are, and not how complicated the function is. */
static cnn_status create_sgd(cnn_optimizer **optimizer, cnn_context *context, double learning_rate)
{
    cnn_status status = cnn_sgd_create(optimizer, context, learning_rate);

    if (status == CNN_OK)
        status = cnn_sgd_set_momentum(*optimizer, 0.9);
    if (status == CNN_OK)
        status = cnn_sgd_set_nesterov(*optimizer, 1);
    if (status == CNN_OK)
        status = cnn_optimizer_set_decay_vectors(*optimizer, 0);
    return status;
}

static const struct optimizer optimizers[] = {
    {"adamw", cnn_adamw_create, 0.001, 0.05},
    {"sgd", create_sgd, 0.05, 0.0005},
};

const struct optimizer *optimizer_find(const char *name)
{
    static const struct choices choices = {
        "optimizer", optimizers, sizeof optimizers / sizeof optimizers[0], sizeof optimizers[0]};

    return choices_find(&choices, name);
}
