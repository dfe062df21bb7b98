/* SPDX-License-Identifier: MIT
 * Optimizers: how gradients change weights, and how the learning rate moves over the steps.
 *
 * Notation: w weight, g gradient, t number of this step from 1, lr learning rate of this step.  All
 * formulas are those of PyTorch's optimizers of the same name.
 *
 * An optimizer belongs to one trainer at a time, from that one's creation until it is freed.  With
 * each trainer it starts anew: t at 1, v and m at 0.  "Has already made a step" below means for the
 * trainer that has it. */
#ifndef CNN_OPTIMIZER_H
#define CNN_OPTIMIZER_H

#include "cnn/context.h"

CNN_BEGIN_DECLS

typedef struct cnn_optimizer cnn_optimizer;

/* Stochastic gradient descent: g += weight_decay * w; v = momentum * v + g (v = g at first);
 * w -= lr * v, or with Nesterov w -= lr * (g + momentum * v).  `learning_rate` is finite and at
 * least 0.  Defaults: momentum 0, no Nesterov, weight decay 0. */
CNN_API cnn_status cnn_sgd_create(cnn_optimizer **optimizer, cnn_context *context,
                                  double learning_rate);

/* Momentum, 0 <= momentum < 1.  CNN_ERROR_INVALID: not an SGD optimizer.  CNN_ERROR_STATE: it has
 * already made a step. */
CNN_API cnn_status cnn_sgd_set_momentum(cnn_optimizer *optimizer, double momentum);

/* Nesterov's form of momentum: 1 or 0.  Statuses as for the momentum. */
CNN_API cnn_status cnn_sgd_set_nesterov(cnn_optimizer *optimizer, int32_t nesterov);

/* Adam (Kingma and Ba 2015): g += weight_decay * w; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * w -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon).
 * Defaults: b1 0.9, b2 0.999, epsilon 1e-8, weight decay 0. */
CNN_API cnn_status cnn_adam_create(cnn_optimizer **optimizer, cnn_context *context,
                                   double learning_rate);

/* AdamW (Loshchilov and Hutter 2019): as Adam, but weight decay is w -= lr * weight_decay * w
 * before the step and not part of g.  Default weight decay 0.01. */
CNN_API cnn_status cnn_adamw_create(cnn_optimizer **optimizer, cnn_context *context,
                                    double learning_rate);

/* Adam's and AdamW's averages, 0 <= b < 1, and epsilon > 0.  CNN_ERROR_INVALID: not such an
 * optimizer.  CNN_ERROR_STATE: it has already made a step. */
CNN_API cnn_status cnn_adam_set_betas(cnn_optimizer *optimizer, double beta1, double beta2);
CNN_API cnn_status cnn_adam_set_epsilon(cnn_optimizer *optimizer, double epsilon);

CNN_API void cnn_optimizer_free(cnn_optimizer *optimizer);

/* Weight decay, at least 0, on all parameters that are trained; see also
 * cnn_layer_set_weight_decay().  May change between steps. */
CNN_API cnn_status cnn_optimizer_set_weight_decay(cnn_optimizer *optimizer, double weight_decay);

/* Whether weight decay, and the factors of cnn_layer_set_weight_decay(), also act on parameters of
 * one dimension (biases, scales): 1 (default, as in PyTorch) or 0.  May change between steps.
 * CNN_ERROR_INVALID: another number. */
CNN_API cnn_status cnn_optimizer_set_decay_vectors(cnn_optimizer *optimizer, int32_t on);

/* Before each step, scales all gradients by min(1, norm / (n + 1e-6)), n the square root of the sum
 * of all their squares; those of frozen layers do not count.  `norm` above 0; 0 (default) turns it
 * off.  May change between steps. */
CNN_API cnn_status cnn_optimizer_set_clip_norm(cnn_optimizer *optimizer, double norm);

/* ---- Learning rate: base rate x warm-up x schedule ----------------------------------------- */

/* Sets the base rate, finite and at least 0.  May change between steps. */
CNN_API cnn_status cnn_optimizer_set_learning_rate(cnn_optimizer *optimizer, double learning_rate);

/* The base rate for all steps (default). */
CNN_API cnn_status cnn_optimizer_set_schedule_constant(cnn_optimizer *optimizer);

/* The base rate x factor^floor((t - 1) / every): every >= 1, factor > 0. */
CNN_API cnn_status cnn_optimizer_set_schedule_step(cnn_optimizer *optimizer, int64_t every,
                                                   double factor);

/* From the base rate to `final_rate` along half a cosine (Loshchilov and Hutter 2017): with w the
 * steps of the warm-up, final + (base - final) * (1 + cos(pi * (t - 1 - w) / (steps - w))) / 2 for
 * w < t <= steps, and `final_rate` afterwards. */
CNN_API cnn_status cnn_optimizer_set_schedule_cosine(cnn_optimizer *optimizer, int64_t steps,
                                                     double final_rate);

/* One cycle of `steps` steps (Smith and Topin 2018; PyTorch's OneCycleLR with cosine annealing):
 * with h(a, b, x) = b + (a - b) * (1 + cos(pi * x)) / 2, top = rise * steps - 1 and start =
 * base / start_divisor,
 *   h(start, base, (t - 1) / top)                                      for t - 1 <= top,
 *   h(base, start / final_divisor, (t - 1 - top) / (steps - 1 - top))  for t <= steps,
 * and start / final_divisor afterwards: the base rate is the highest.  0 <= rise < 1, divisors at
 * least 1; PyTorch's defaults are 0.3, 25 and 10000.  A warm-up would be multiplied with it. */
CNN_API cnn_status cnn_optimizer_set_schedule_one_cycle(cnn_optimizer *optimizer, int64_t steps,
                                                        double rise, double start_divisor,
                                                        double final_divisor);

/* Along a schedule of one cycle, moves SGD's momentum, or b1 of Adam and AdamW, against the rate:
 * from `highest` down to `lowest` while the rate rises, and back; under other schedules it does
 * nothing.  0 < lowest <= highest < 1; both 0 (default) leave it as it is set.  PyTorch's defaults
 * are 0.85 and 0.95.  Adam's b1^t is that of this step's b1, as in PyTorch. */
CNN_API cnn_status cnn_optimizer_set_momentum_cycle(cnn_optimizer *optimizer, double lowest,
                                                    double highest);

/* During the first `steps` steps, the rate is t / steps of what it would be (Goyal et al. 2017); a
 * cosine begins after them.  0 (default) turns it off. */
CNN_API cnn_status cnn_optimizer_set_warmup(cnn_optimizer *optimizer, int64_t steps);

/* The rate that the next step will use. */
CNN_API double cnn_optimizer_learning_rate(const cnn_optimizer *optimizer);

/* Steps made so far for the trainer that has the optimizer; 0 without one. */
CNN_API int64_t cnn_optimizer_steps(const cnn_optimizer *optimizer);

CNN_END_DECLS

#endif
