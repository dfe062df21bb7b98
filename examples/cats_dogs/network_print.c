/* SPDX-License-Identifier: MIT
 * A network as a table of its layers. */
#include "network.h"

#include "console.h"

#include <stdio.h>

/* "62 x 62 x 32" */
static void format_shape(char *text, size_t size, const int64_t *shape, int32_t rank)
{
    size_t used = 0;

    text[0] = '\0';
    for (int32_t i = 0; i < rank && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", i > 0 ? " x " : "",
                                 (long long)shape[i]);
}

/* "813,346" */
static void format_count(char *text, size_t size, int64_t count)
{
    if (count < 1000)
        snprintf(text, size, "%d", (int)count);
    else if (count < 1000000)
        snprintf(text, size, "%d,%03d", (int)(count / 1000), (int)(count % 1000));
    else
        snprintf(text, size, "%lld,%03d,%03d", (long long)(count / 1000000),
                 (int)(count / 1000 % 1000), (int)(count % 1000));
}

static void print_row(const char *layer, const int64_t *shape, int32_t rank, int64_t parameters)
{
    char output[96];
    char count[32];

    format_shape(output, sizeof output, shape, rank);
    format_count(count, sizeof count, parameters);
    console_line("  %-28s  %-16s  %12s", layer, output, count);
}

void network_print(cnn_model *model)
{
    int64_t shape[CNN_MAX_RANK];
    int32_t rank = 0;

    console_line("  %-28s  %-16s  %12s", "layer", "output", "parameters");
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        char layer[128];
        cnn_layer_describe(cnn_model_layer(model, i), layer, sizeof layer);
        if (cnn_model_layer_shape(shape, &rank, model, i) == CNN_OK)
            print_row(layer, shape, rank, cnn_model_layer_parameters(model, i));
    }
    print_row("total", shape, 0, cnn_model_parameters(model));
}
