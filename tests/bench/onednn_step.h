/* SPDX-License-Identifier: MIT
 * A training step of a network of networks.h, hand-made from oneDNN's primitives (C interface of
 * version 2) as its guide advises: every format that of the primitive's choice, reorders only where
 * two primitives disagree, ReLU within the convolutions, its backward on the pooled gradients,
 * which are a quarter, and the optimizer in one pass over each parameter.  Measured by
 * compare_train_onednn.c; what it creates lives as long as the process. */
#ifndef CNN_BENCH_ONEDNN_STEP_H
#define CNN_BENCH_ONEDNN_STEP_H

#include <immintrin.h>
#include <math.h>
#include <stdbool.h>

#include "bench/networks.h"
#include "bench/onednn.h"

enum { MOST_LAYERS = 6, CLASSES = 2 };

enum direction { FORWARD, BACKWARD_DATA, BACKWARD_WEIGHTS, DIRECTIONS };

/* ---- Layers ---- */

/* Weights or biases, in the format in which their gradient comes. */
struct parameter {
    dnnl_memory_t value, gradient;
    float *momentum;
};

/* A convolution with ReLU and 2x2 max-pooling, or a dense layer with or without ReLU. */
struct layer {
    int64_t x[4], w[4], y[4]; /* shapes: n c h w, or n c; k c r s, or k c; n k oh ow, or n k */
    int x_rank, y_rank;
    int64_t pad;
    bool pooled, relu;
    dnnl_primitive_desc_t primitives[DIRECTIONS];
    struct parameter weight, bias;
    dnnl_memory_t input, output; /* output: after the pooling */
    dnnl_primitive_desc_t pool, pool_backward;
    dnnl_memory_t winners;
};

struct step {
    struct list prepare, forward, backward; /* prepare: what does not change from step to step */
    struct layer layers[MOST_LAYERS];
    int layer_count;
    int64_t batch;
    dnnl_memory_t input, logits, logits_gradient;
};

static dnnl_primitive_attr_t fused_relu(const struct layer *layer)
{
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t after;
    check_peer(dnnl_primitive_attr_create(&attributes));
    check_peer(dnnl_post_ops_create(&after));
    if (layer->relu)
        check_peer(dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0));
    check_peer(dnnl_primitive_attr_set_post_ops(attributes, after));
    dnnl_post_ops_destroy(after);
    return attributes;
}

static dnnl_primitive_desc_t
describe_convolution(const struct layer *layer, enum direction direction, dnnl_alg_kind_t algorithm)
{
    const dnnl_memory_desc_t x = any(4, layer->x), w = any(4, layer->w), y = any(4, layer->y);
    const dnnl_memory_desc_t b = any(1, layer->w);
    const dnnl_dims_t strides = {1, 1}, pads = {layer->pad, layer->pad};
    dnnl_convolution_desc_t forward, data, weights;
    check_peer(dnnl_convolution_forward_desc_init(&forward, dnnl_forward_training, algorithm, &x,
                                                  &w, &b, &y, strides, pads, pads));
    check_peer(dnnl_convolution_backward_data_desc_init(&data, algorithm, &x, &w, &y, strides, pads,
                                                        pads));
    check_peer(dnnl_convolution_backward_weights_desc_init(&weights, algorithm, &x, &w, &b, &y,
                                                           strides, pads, pads));
    const void *const operations[] = {&forward, &data, &weights};
    dnnl_primitive_attr_t attributes = fused_relu(layer);
    dnnl_primitive_desc_t hint = describe(&forward, attributes, NULL);
    dnnl_primitive_attr_destroy(attributes);
    if (hint == NULL || direction == FORWARD)
        return hint;
    dnnl_primitive_desc_t made = describe(operations[direction], NULL, hint);
    dnnl_primitive_desc_destroy(hint);
    return made;
}

/* By the algorithm wanted, or directly where oneDNN does not have it, and for the three channels of
 * the first layer, which Winograd's would fill up to sixteen. */
static void describe_convolutions(struct layer *layer, dnnl_alg_kind_t algorithm)
{
    if (algorithm == dnnl_convolution_winograd && layer->x[1] < 16)
        algorithm = dnnl_convolution_direct;
    for (enum direction d = FORWARD; d < DIRECTIONS; d++) {
        layer->primitives[d] = describe_convolution(layer, d, algorithm);
        if (layer->primitives[d] == NULL)
            layer->primitives[d] = describe_convolution(layer, d, dnnl_convolution_direct);
    }
}

/* Inputs stay in the format that they come in, and backward-data takes the weights as
 * backward-weights makes them: they are large. */
static void describe_dense(struct layer *layer, const dnnl_memory_desc_t *x)
{
    const int rank = layer->x_rank;
    const dnnl_memory_desc_t w = any(rank, layer->w), b = any(1, layer->w), y = any(2, layer->y);
    dnnl_inner_product_desc_t forward, data, weights;
    dnnl_primitive_attr_t attributes = fused_relu(layer);
    check_peer(
        dnnl_inner_product_forward_desc_init(&forward, dnnl_forward_training, x, &w, &b, &y));
    check_peer(dnnl_inner_product_backward_weights_desc_init(&weights, x, &w, &b, &y));
    layer->primitives[FORWARD] = describe(&forward, attributes, NULL);
    layer->primitives[BACKWARD_WEIGHTS] = describe(&weights, NULL, layer->primitives[FORWARD]);
    const dnnl_memory_desc_t *made =
        wanted(layer->primitives[BACKWARD_WEIGHTS], dnnl_query_diff_weights_md);
    check_peer(dnnl_inner_product_backward_data_desc_init(&data, x, made, &y));
    layer->primitives[BACKWARD_DATA] = describe(&data, NULL, layer->primitives[FORWARD]);
    dnnl_primitive_attr_destroy(attributes);
}

/* Number 0 of a layer are its weights, 1 its biases. */
static void parameter_create(struct parameter *parameter, const struct layer *layer, int number)
{
    const dnnl_memory_desc_t *format = dnnl_primitive_desc_query_md(
        layer->primitives[BACKWARD_WEIGHTS], dnnl_query_diff_weights_md, number);
    parameter->value = allocate(format);
    parameter->gradient = allocate(format);
    parameter->momentum = calloc(1, dnnl_memory_desc_get_size(format));
}

static void append_forward(struct step *step, struct layer *layer, dnnl_memory_t x)
{
    const_dnnl_primitive_desc_t forward = layer->primitives[FORWARD];
    struct list *fixed = x == step->input ? &step->prepare : &step->forward;
    parameter_create(&layer->weight, layer, 0);
    parameter_create(&layer->bias, layer, 1);
    layer->input = x;
    layer->output = allocate(wanted(forward, dnnl_query_dst_md));
    dnnl_memory_t source = as(fixed, x, wanted(forward, dnnl_query_src_md));
    dnnl_memory_t w =
        as(&step->forward, layer->weight.value, wanted(forward, dnnl_query_weights_md));
    append(&step->forward, forward,
           (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, source},
                               {DNNL_ARG_WEIGHTS, w},
                               {DNNL_ARG_BIAS, layer->bias.value},
                               {DNNL_ARG_DST, layer->output},
                               {0, NULL}});
}

static void append_pool(struct step *step, struct layer *layer)
{
    const dnnl_memory_desc_t *x = format_of(layer->output);
    const int64_t pooled[] = {layer->y[0], layer->y[1], layer->y[2] / 2, layer->y[3] / 2};
    const dnnl_memory_desc_t y = any(4, pooled);
    const dnnl_dims_t window = {2, 2}, pads = {0, 0};
    dnnl_pooling_desc_t forward, backward;
    check_peer(dnnl_pooling_forward_desc_init(&forward, dnnl_forward_training, dnnl_pooling_max, x,
                                              &y, window, window, pads, pads));
    layer->pool = describe(&forward, NULL, NULL);
    const dnnl_memory_desc_t *chosen = wanted(layer->pool, dnnl_query_dst_md);
    check_peer(dnnl_pooling_backward_desc_init(&backward, dnnl_pooling_max, x, chosen, window,
                                               window, pads, pads));
    layer->pool_backward = describe(&backward, NULL, layer->pool);
    layer->winners = allocate(wanted(layer->pool, dnnl_query_workspace_md));
    dnnl_memory_t output = allocate(chosen);
    append(&step->forward, layer->pool,
           (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, layer->output},
                               {DNNL_ARG_DST, output},
                               {DNNL_ARG_WORKSPACE, layer->winners},
                               {0, NULL}});
    layer->output = output;
}

/* The gradient before the ReLU whose output is `layer->output`; in place. */
static dnnl_memory_t append_relu_backward(struct step *step, const struct layer *layer,
                                          dnnl_memory_t dy)
{
    const dnnl_memory_desc_t *format = format_of(layer->output);
    dnnl_eltwise_desc_t forward, backward;
    check_peer(dnnl_eltwise_forward_desc_init(&forward, dnnl_forward_training,
                                              dnnl_eltwise_relu_use_dst_for_bwd, format, 0, 0));
    check_peer(dnnl_eltwise_backward_desc_init(&backward, dnnl_eltwise_relu_use_dst_for_bwd, format,
                                               format, 0, 0));
    dnnl_primitive_desc_t hint = describe(&forward, NULL, NULL);
    dnnl_primitive_desc_t made = describe(&backward, NULL, hint);
    dnnl_memory_t masked = as(&step->backward, dy, format);
    append(&step->backward, made,
           (dnnl_exec_arg_t[]){{DNNL_ARG_DST, layer->output},
                               {DNNL_ARG_DIFF_DST, masked},
                               {DNNL_ARG_DIFF_SRC, masked},
                               {0, NULL}});
    dnnl_primitive_desc_destroy(made);
    dnnl_primitive_desc_destroy(hint);
    return masked;
}

static dnnl_memory_t append_pool_backward(struct step *step, const struct layer *layer,
                                          dnnl_memory_t dy)
{
    dnnl_memory_t dx = allocate(wanted(layer->pool_backward, dnnl_query_diff_src_md));
    dy = as(&step->backward, dy, wanted(layer->pool_backward, dnnl_query_diff_dst_md));
    append(&step->backward, layer->pool_backward,
           (dnnl_exec_arg_t[]){{DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_DIFF_SRC, dx},
                               {DNNL_ARG_WORKSPACE, layer->winners},
                               {0, NULL}});
    return dx;
}

static void append_backward_weights(struct step *step, const struct layer *layer, dnnl_memory_t dy)
{
    const_dnnl_primitive_desc_t weights = layer->primitives[BACKWARD_WEIGHTS];
    struct list *fixed = layer->input == step->input ? &step->prepare : &step->backward;
    dnnl_memory_t x = as(fixed, layer->input, wanted(weights, dnnl_query_src_md));
    dy = as(&step->backward, dy, wanted(weights, dnnl_query_diff_dst_md));
    append(&step->backward, weights,
           (dnnl_exec_arg_t[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_DIFF_WEIGHTS, layer->weight.gradient},
                               {DNNL_ARG_DIFF_BIAS, layer->bias.gradient},
                               {0, NULL}});
}

static dnnl_memory_t append_backward_data(struct step *step, const struct layer *layer,
                                          dnnl_memory_t dy)
{
    const_dnnl_primitive_desc_t data = layer->primitives[BACKWARD_DATA];
    dnnl_memory_t dx = allocate(wanted(data, dnnl_query_diff_src_md));
    dnnl_memory_t w = as(&step->backward, layer->weight.value, wanted(data, dnnl_query_weights_md));
    dy = as(&step->backward, dy, wanted(data, dnnl_query_diff_dst_md));
    append(&step->backward, data,
           (dnnl_exec_arg_t[]){
               {DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DIFF_SRC, dx}, {0, NULL}});
    return dx;
}

/* ---- The network ---- */

static struct layer *add_layer(struct step *step, const struct layer *layer)
{
    step->layers[step->layer_count] = *layer;
    return &step->layers[step->layer_count++];
}

static dnnl_memory_t add_convolution(struct step *step, dnnl_memory_t x, int64_t filters,
                                     int64_t pad, dnnl_alg_kind_t algorithm)
{
    const int64_t *shape = format_of(x)->dims;
    struct layer *layer = add_layer(
        step,
        &(struct layer){.x = {shape[0], shape[1], shape[2], shape[3]},
                        .w = {filters, shape[1], 3, 3},
                        .y = {shape[0], filters, shape[2] - 2 + 2 * pad, shape[3] - 2 + 2 * pad},
                        .x_rank = 4,
                        .pad = pad,
                        .pooled = true,
                        .relu = true});
    describe_convolutions(layer, algorithm);
    append_forward(step, layer, x);
    append_pool(step, layer);
    return layer->output;
}

static dnnl_memory_t add_dense(struct step *step, dnnl_memory_t x, int64_t units, bool relu)
{
    const dnnl_memory_desc_t *format = format_of(x);
    struct layer *layer = add_layer(
        step,
        &(struct layer){.y = {format->dims[0], units}, .x_rank = format->ndims, .relu = relu});
    memcpy(layer->x, format->dims, sizeof layer->x);
    memcpy(layer->w, format->dims, sizeof layer->w);
    layer->w[0] = units;
    describe_dense(layer, format);
    append_forward(step, layer, x);
    return layer->output;
}

static void append_backward(struct step *step)
{
    dnnl_memory_t dy = step->logits_gradient;
    for (int i = step->layer_count - 1; i >= 0; i--) {
        const struct layer *layer = &step->layers[i];
        if (layer->relu)
            dy = append_relu_backward(step, layer, dy);
        if (layer->pooled)
            dy = append_pool_backward(step, layer, dy);
        append_backward_weights(step, layer, dy);
        if (i > 0)
            dy = append_backward_data(step, layer, dy);
    }
}

/* Its input is n h w c in memory, as libcnn's. */
static void step_create(struct step *step, const struct network *network, int64_t batch,
                        dnnl_alg_kind_t algorithm)
{
    const int64_t shape[] = {batch, 3, network->size, network->size}, outputs[] = {batch, CLASSES};
    const dnnl_memory_desc_t input = with_tag(4, shape, dnnl_acdb), logits = plain(2, outputs);
    *step = (struct step){.batch = batch};
    dnnl_memory_t x = step->input = allocate(&input);
    for (int i = 0; i < 4 && network->filters[i] > 0; i++)
        x = add_convolution(step, x, network->filters[i], network->same, algorithm);
    x = add_dense(step, x, network->units, true);
    x = add_dense(step, x, CLASSES, false);
    step->logits = as(&step->forward, x, &logits);
    step->logits_gradient = allocate(&logits);
    append_backward(step);
}

/* Takes another input; outside of the time of a step. */
static void step_set_input(struct step *step, const float *x)
{
    memcpy(data_of(step->input), x, dnnl_memory_desc_get_size(format_of(step->input)));
    run(&step->prepare);
}

/* ---- Running ---- */

/* The mean cross-entropy, and its gradient. */
static double softmax_cross_entropy(float *dz, const float *z, const int32_t *labels, int64_t batch)
{
    double loss = 0;
    for (int64_t i = 0; i < batch; i++, z += CLASSES, dz += CLASSES) {
        const float max = fmaxf(z[0], z[1]), e[] = {expf(z[0] - max), expf(z[1] - max)};
        const float sum = e[0] + e[1];
        for (int j = 0; j < CLASSES; j++)
            dz[j] = (e[j] / sum - (float)(labels[i] == j)) / (float)batch;
        loss += log((double)sum) - (double)(z[labels[i]] - max);
    }
    return loss / (double)batch;
}

__attribute__((target("avx2,fma"))) static void update(const struct parameter *parameter,
                                                       float learning_rate, float momentum)
{
    const size_t count = dnnl_memory_desc_get_size(format_of(parameter->value)) / sizeof(float);
    float *w = data_of(parameter->value), *v = parameter->momentum;
    const float *g = data_of(parameter->gradient);
    const __m256 keep = _mm256_set1_ps(momentum), rate = _mm256_set1_ps(learning_rate);
    size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const __m256 sum = _mm256_fmadd_ps(keep, _mm256_loadu_ps(v + i), _mm256_loadu_ps(g + i));
        _mm256_storeu_ps(v + i, sum);
        _mm256_storeu_ps(w + i, _mm256_fnmadd_ps(rate, sum, _mm256_loadu_ps(w + i)));
    }
    for (; i < count; i++) {
        v[i] = momentum * v[i] + g[i];
        w[i] -= learning_rate * v[i];
    }
}

static double step_run(struct step *step, const int32_t *labels, float learning_rate,
                       float momentum)
{
    run(&step->forward);
    const double loss = softmax_cross_entropy(data_of(step->logits_gradient), data_of(step->logits),
                                              labels, step->batch);
    run(&step->backward);
    for (int i = 0; i < step->layer_count; i++) {
        update(&step->layers[i].weight, learning_rate, momentum);
        update(&step->layers[i].bias, learning_rate, momentum);
    }
    return loss;
}

#endif
