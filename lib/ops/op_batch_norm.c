/* SPDX-License-Identifier: MIT
 * Batch normalisation: cuts the pixels into blocks, and adds up what the kernels find in each. */
#include "ops/op_batch_norm.h"

#include <math.h>

#include "base/context_internal.h"
#include "kernels/kernels.h"
#include "ops/op_range.h"

enum {
    BLOCK = 128,      /* pixels of a chain */
    ITEM = 16 * 1024, /* floats of an item, at least */
    GROUP = 16        /* channels whose blocks are added up in one item */
};

/* Two doubles of each channel, then two floats of each channel and block. */
bool cnni_norm_scratch_bytes(size_t *bytes, int64_t pixels, int64_t channels)
{
    const size_t blocks = (size_t)cnni_ceil_div(pixels, BLOCK);
    const size_t each = sizeof(double) / sizeof(float);
    return cnni_mul_size(bytes, 2 * (blocks + each), (size_t)channels) &&
           cnni_mul_size(bytes, *bytes, sizeof(float));
}

/* ---- Blocks in parallel ---- */

struct work {
    const struct cnni_kernels *kernels;
    const struct cnni_norm_call *call;
    struct cnni_norm norm;
    float *y, *gated;
    const float *x, *addend, *dy, *cut; /* cut: the output, where it was added to; or NULL */
    float *sums, *products;             /* [blocks][channels] */
    struct cnni_norm_moments moments;
    const struct cnni_norm_state *state;
    const struct cnni_norm_gradients *gradients;
};

/* Where block `number` begins, and its pixels. */
static int64_t enter_block(const struct work *work, int64_t number, struct cnni_norm *norm)
{
    *norm = work->norm;
    norm->pixels = CNNI_MIN(work->call->pixels - number * BLOCK, BLOCK);
    return number * BLOCK * norm->channels;
}

static void run(const struct cnni_norm_call *call, struct work *work,
                const struct cnni_norm_state *state, cnni_range_fn *blocks)
{
    const int64_t count = cnni_ceil_div(call->pixels, BLOCK);
    work->kernels = cnni_kernels(call->context->cpu);
    work->call = call;
    work->state = state;
    work->norm = (struct cnni_norm){
        .channels = call->channels,
        .low = call->low,
        .high = call->high,
    };
    if (state != NULL) {
        work->norm.scale = state->scale;
        work->norm.shift = state->shift;
        work->norm.mean = state->mean;
        work->norm.slope = state->slope;
        work->norm.offset = state->offset;
    }
    cnni_parallel_range(call->context, call->lanes, count,
                        cnni_ceil_div(ITEM, BLOCK * call->channels), blocks, work);
}

/* Where the sums of blocks and what is made of them lie. */
static void use_scratch(struct work *work, const struct cnni_norm_call *call)
{
    const int64_t blocks = cnni_ceil_div(call->pixels, BLOCK);
    work->moments.mean = (double *)(void *)call->scratch;
    work->moments.variance = work->moments.mean + call->channels;
    work->sums = (float *)(void *)(work->moments.variance + call->channels);
    work->products = work->sums + blocks * call->channels;
}

/* ---- Forward ---- */

static void measure_blocks(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    struct cnni_norm norm;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t at = enter_block(work, i, &norm), place = i * norm.channels;
        work->kernels->norm_moments(&norm, work->sums + place, work->products + place,
                                    work->x + at);
    }
}

/* The squares of a block are those around its own mean (Chan, Golub and LeVeque 1979). */
static void add_moments(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const int64_t channels = work->call->channels, pixels = work->call->pixels;
    double *mean = work->moments.mean, *variance = work->moments.variance;
    for (int64_t c = first; c < first + count; c++)
        mean[c] = variance[c] = 0;
    for (int64_t i = 0; i * BLOCK < pixels; i++)
        for (int64_t c = first; c < first + count; c++)
            mean[c] += (double)work->sums[i * channels + c];
    for (int64_t c = first; c < first + count; c++)
        mean[c] /= (double)pixels;
    for (int64_t i = 0; i * BLOCK < pixels; i++) {
        const double size = (double)CNNI_MIN(pixels - i * BLOCK, BLOCK);
        for (int64_t c = first; c < first + count; c++) {
            const double away = (double)work->sums[i * channels + c] / size - mean[c];
            variance[c] += (double)work->products[i * channels + c] + size * away * away;
        }
    }
    for (int64_t c = first; c < first + count; c++)
        variance[c] /= (double)pixels;
}

void cnni_norm_measure(const struct cnni_norm_call *call, struct cnni_norm_moments *moments,
                       const float *x)
{
    struct work work = {.x = x};
    use_scratch(&work, call);
    run(call, &work, NULL, measure_blocks);
    cnni_parallel_range(call->context, call->lanes, call->channels, GROUP, add_moments, &work);
    *moments = work.moments;
}

void cnni_norm_prepare(const struct cnni_norm_state *state, int64_t channel, double mean,
                       double variance, double epsilon, float gamma, float beta)
{
    const double inverse = 1 / sqrt(variance + epsilon), scale = (double)gamma * inverse;
    state->mean[channel] = (float)mean;
    state->inverse[channel] = (float)inverse;
    state->scale[channel] = (float)scale;
    state->shift[channel] = (float)((double)beta - mean * scale);
}

static void apply_blocks(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    struct cnni_norm norm;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t at = enter_block(work, i, &norm);
        work->kernels->norm_apply(&norm, work->y + at, work->x + at,
                                  work->addend == NULL ? NULL : work->addend + at);
    }
}

void cnni_norm_forward(const struct cnni_norm_call *call, const struct cnni_norm_state *state,
                       float *y, const float *x, const float *addend)
{
    run(call, &(struct work){.y = y, .x = x, .addend = addend}, state, apply_blocks);
}

/* ---- Backward: sums first, then, since dx depends on them, once more over the pixels ---- */

static void gradient_blocks(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    struct cnni_norm norm;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t at = enter_block(work, i, &norm), place = i * norm.channels;
        work->kernels->norm_gradient(&norm, work->sums + place, work->products + place,
                                     work->gated == NULL ? NULL : work->gated + at, work->dy + at,
                                     work->x + at, work->cut == NULL ? NULL : work->cut + at);
    }
}

static void add_gradients(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    const struct cnni_norm_state *state = work->state;
    const struct cnni_norm_gradients *gradients = work->gradients;
    const int64_t channels = work->call->channels;
    const double pixels = (double)work->call->pixels;
    for (int64_t c = first; c < first + count; c++) {
        double sum = 0, product = 0;
        for (int64_t i = 0; i * BLOCK < work->call->pixels; i++) {
            sum += (double)work->sums[i * channels + c];
            product += (double)work->products[i * channels + c];
        }
        const double inverse = (double)state->inverse[c], scale = (double)state->scale[c];
        if (gradients->dgamma != NULL)
            gradients->dgamma[c] += (float)(product * inverse);
        if (gradients->dbeta != NULL)
            gradients->dbeta[c] += (float)sum;
        const bool measured = gradients->measured;
        state->slope[c] = measured ? (float)(-scale * inverse * inverse * product / pixels) : 0;
        state->offset[c] = measured ? (float)(-scale * sum / pixels) : 0;
    }
}

static void backward_blocks(void *task, int64_t first, int64_t count)
{
    const struct work *work = task;
    struct cnni_norm norm;
    for (int64_t i = first; i < first + count; i++) {
        const int64_t at = enter_block(work, i, &norm);
        work->kernels->norm_backward(&norm, work->gradients->dx + at, work->dy + at, work->x + at,
                                     work->cut == NULL ? NULL : work->cut + at);
    }
}

/* Whether nobody asks for what the first pass over the pixels finds: in a frozen layer. */
static bool needs_no_sums(const struct cnni_norm_gradients *gradients)
{
    return !gradients->measured && gradients->dgamma == NULL && gradients->dbeta == NULL &&
           gradients->daddend == NULL;
}

static void sum_gradients(const struct cnni_norm_call *call, struct work *work,
                          const struct cnni_norm_state *state)
{
    use_scratch(work, call);
    run(call, work, state, gradient_blocks);
    cnni_parallel_range(call->context, call->lanes, call->channels, GROUP, add_gradients, work);
}

void cnni_norm_backward(const struct cnni_norm_call *call, const struct cnni_norm_state *state,
                        const struct cnni_norm_gradients *gradients, const float *dy,
                        const float *x, const float *y)
{
    struct work work = {
        .gated = gradients->daddend,
        .x = x,
        .cut = y,
        .dy = dy,
        .gradients = gradients,
    };
    if (needs_no_sums(gradients))
        for (int64_t c = 0; c < call->channels; c++)
            state->slope[c] = state->offset[c] = 0;
    else
        sum_gradients(call, &work, state);
    if (gradients->dx == NULL)
        return;
    struct cnni_norm_call rest = *call;
    if (gradients->daddend != NULL) { /* has been cut already */
        work.dy = gradients->daddend;
        work.cut = NULL;
        rest.low = -INFINITY;
        rest.high = INFINITY;
    }
    run(&rest, &work, state, backward_blocks);
}
