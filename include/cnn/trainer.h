/* SPDX-License-Identifier: MIT
 * Training: a model, a loss and an optimizer with the memory of a training step. */
#ifndef CNN_TRAINER_H
#define CNN_TRAINER_H

#include "cnn/loader.h"
#include "cnn/model.h"
#include "cnn/optimizer.h"

CNN_BEGIN_DECLS

/* What a training step makes smaller: the mean over the samples of a batch. */
typedef int32_t cnn_loss;

enum {
    /* -log softmax(z)[label] over [classes]; with label smoothing s the target is (1 - s) at the
     * label plus s / classes everywhere.  Targets: int32 [n], or float32 [n][classes]
     * probabilities, smoothed alike.  A softmax layer at the end of the model is passed over: the
     * loss works on its input. */
    CNN_SOFTMAX_CROSS_ENTROPY = 1,
    /* Mean over the outputs of max(z, 0) - z * target + log(1 + exp(-|z|)).  Targets: float32 of
     * the output's shape, 0 .. 1; for a single output [1] also int32 [n] labels 0 and 1. */
    CNN_BINARY_CROSS_ENTROPY = 2,
    /* Mean over the outputs of (y - target)^2.  Targets: float32 of the output's shape. */
    CNN_MEAN_SQUARED_ERROR = 3
};

/* The name of `loss`, "softmax_cross_entropy"; "unknown loss" for any other number.  Borrowed for
 * ever. */
CNN_API const char *cnn_loss_name(cnn_loss loss);

typedef struct cnn_trainer cnn_trainer;

/* Plans training steps of up to `batch` samples.  Shares the model and the optimizer; one trainer
 * at a time for each of both.  The optimizer starts anew: its steps and averages are 0, as they are
 * after the trainer is freed.  From now on no layer can be added to the model.  Steps allocate
 * nothing.
 * CNN_ERROR_STATE: no layers, a layer whose output nobody takes, or a trainer that already has the
 * model or the optimizer.  CNN_ERROR_SHAPE: an output that the loss cannot take, or more samples
 * than memory can hold. */
CNN_API cnn_status cnn_trainer_create(cnn_trainer **trainer, cnn_model *model,
                                      cnn_optimizer *optimizer, cnn_loss loss, int64_t batch);

CNN_API void cnn_trainer_free(cnn_trainer *trainer);

/* Label smoothing for softmax cross-entropy, 0 <= smoothing < 1.  Default 0.
 * CNN_ERROR_INVALID: another loss. */
CNN_API cnn_status cnn_trainer_set_label_smoothing(cnn_trainer *trainer, double smoothing);

/* Weights of the classes for softmax cross-entropy, of unbalanced data for instance
 * (cnn_dataset_class_weights()): each class's term of a sample's loss is multiplied by its weight.
 * With int32 targets the mean divides by the sum of the weights of the batch's labels, with float32
 * ones by the number of samples; label smoothing spreads before it is weighed.  All of this is as
 * PyTorch has it.  Copies `weights`, [count] numbers above 0, one for each output; NULL takes
 * earlier ones back.  They count in evaluations too.  Default: 1 for all.
 * CNN_ERROR_INVALID: another loss, or a weight that is not finite or not above 0.  CNN_ERROR_SHAPE:
 * another number of weights than of outputs. */
CNN_API cnn_status cnn_trainer_set_class_weights(cnn_trainer *trainer, const double *weights,
                                                 int32_t count);

/* Weights of positive targets for binary cross-entropy, one for each output: its loss becomes
 * weight * target * log(1 + exp(-z)) + (1 - target) * log(1 + exp(z)), as with PyTorch's
 * pos_weight.  Otherwise as cnn_trainer_set_class_weights(). */
CNN_API cnn_status cnn_trainer_set_positive_weights(cnn_trainer *trainer, const double *weights,
                                                    int32_t count);

/* Bytes that the trainer holds: activations, gradients, the optimizer's averages, and what the
 * setters below ask for. */
CNN_API size_t cnn_trainer_bytes(const cnn_trainer *trainer);

/* ---- The average of the weights ------------------------------------------------------------ */

/* Keeps an exponential moving average of all weights (Polyak and Juditsky 1992), running statistics
 * and frozen layers included: it begins as the weights are now, and after update number t from
 * then on a += (1 - d) * (w - a) with d = min(decay, (1 + t) / (10 + t)), so that the first weights
 * are soon forgotten.  0 < decay < 1, for instance 0.999; called again, it changes the decay alone.
 * 0 (default): there is no average; the model gets the trained weights back, and the memory, that
 * of the weights once more, is freed.  May be called between steps.
 *
 * The model has the averaged weights, for predicting and saving, after cnn_trainer_evaluate(), from
 * the validation on at the end of each epoch of cnn_trainer_fit(), and after cnn_trainer_fit(); the
 * next step puts the trained ones back by itself.  Neither copies anything.  Setting a parameter
 * sets that of the weights that the model has at the moment, and freeing the trainer leaves it with
 * them.
 * CNN_ERROR_INVALID: another decay.  CNN_ERROR_MEMORY: the average does not begin.
 * CNN_ERROR_STATE: somebody is predicting with the model, saving or training it at this moment. */
CNN_API cnn_status cnn_trainer_set_average(cnn_trainer *trainer, double decay);

/* Gives the model the averaged weights (1) or the trained ones (0).  A change forgets a
 * cnn_trainer_forward() whose backward has not come.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_STATE: 1 without an average, or as above. */
CNN_API cnn_status cnn_trainer_use_average(cnn_trainer *trainer, int32_t on);

/* ---- Steps --------------------------------------------------------------------------------- */

/* One training step on `inputs[0]` [n][input shape] and `targets[0]`, 1 <= n <= batch: forward,
 * loss, backward, update.  Both counts are 1.  Writes the loss before the update into `loss`, which
 * may be NULL.  Gradients of a cnn_trainer_backward() that wait for cnn_trainer_update() are added
 * to: this update is theirs too.  A step that fails changes nothing.
 * CNN_ERROR_SHAPE: shapes or types that do not fit.  CNN_ERROR_INVALID: a label out of range.
 * CNN_ERROR_STATE: somebody is predicting with the model, saving or training it at this moment, or
 * this is a callback of cnn_trainer_fit(). */
CNN_API cnn_status cnn_trainer_step(double *loss, cnn_trainer *trainer,
                                    const cnn_tensor *const *inputs, int32_t input_count,
                                    const cnn_tensor *const *targets, int32_t target_count);

/* The parts of a step, for losses of one's own.  Forward runs the model as training does and writes
 * the model's output, in memory of its own; it shares the inputs, whose contents must not change,
 * until the next backward, forward, step or evaluation.  Backward takes the gradient of the loss by
 * that output (already a mean over the batch, if one is wanted) and adds to the gradients.  Update
 * clips, makes one optimizer step and clears the gradients; several forward and backward passes may
 * come before it.
 * CNN_ERROR_SHAPE: shapes or types that do not fit.  CNN_ERROR_INVALID: outputs and inputs share
 * memory.  CNN_ERROR_STATE: backward without a forward, or after a step or evaluation; update
 * without a backward, or as for cnn_trainer_step(). */
CNN_API cnn_status cnn_trainer_forward(cnn_trainer *trainer, cnn_tensor *const *outputs,
                                       int32_t output_count, const cnn_tensor *const *inputs,
                                       int32_t input_count);
CNN_API cnn_status cnn_trainer_backward(cnn_trainer *trainer,
                                        const cnn_tensor *const *output_gradients,
                                        int32_t gradient_count);
CNN_API cnn_status cnn_trainer_update(cnn_trainer *trainer);

/* ---- Whole epochs -------------------------------------------------------------------------- */

/* What a progress callback is told.  Borrowed for the call. */
typedef struct cnn_progress cnn_progress;

/* Which moment. */
typedef int32_t cnn_progress_kind;

enum {
    CNN_PROGRESS_STEP = 1,       /* a training step is done */
    CNN_PROGRESS_VALIDATION = 2, /* a batch of the validation samples is done */
    CNN_PROGRESS_EPOCH = 3       /* an epoch and its validation are done */
};

/* The name of `kind`, "step"; "unknown progress" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_progress_kind_name(cnn_progress_kind kind);

/* Called on the thread that called cnn_trainer_fit(), between steps; may save the model or a
 * checkpoint, run sessions of the model, evaluate (over any loader, also those of the training) and
 * change the optimizer.  Training the model otherwise, by a step, a part of one, another
 * cnn_trainer_fit() or cnn_trainer_resume(), is CNN_ERROR_STATE.  Any result but 0 stops the
 * training. */
typedef int32_t (*cnn_progress_fn)(void *user, const cnn_progress *progress);

/* Where the training is: epochs and steps count from 1; `samples` are those of this epoch (for
 * CNN_PROGRESS_VALIDATION those of the validation) done so far, `samples_total` those to do. */
CNN_API cnn_progress_kind cnn_progress_get_kind(const cnn_progress *progress);
CNN_API int64_t cnn_progress_epoch(const cnn_progress *progress);
CNN_API int64_t cnn_progress_epochs(const cnn_progress *progress);
CNN_API int64_t cnn_progress_step(const cnn_progress *progress);
CNN_API int64_t cnn_progress_steps(const cnn_progress *progress);
CNN_API int64_t cnn_progress_samples(const cnn_progress *progress);
CNN_API int64_t cnn_progress_samples_total(const cnn_progress *progress);

/* Mean loss and share of right classes (0 .. 1; NaN for losses without classes) over this epoch's
 * training samples so far, as they were met (with augmentation and dropout).  Of mixed samples the
 * right class is the one with the greatest share, of equal shares the first. */
CNN_API double cnn_progress_loss(const cnn_progress *progress);
CNN_API double cnn_progress_accuracy(const cnn_progress *progress);

/* The same over the validation samples; NaN before there are any. */
CNN_API double cnn_progress_validation_loss(const cnn_progress *progress);
CNN_API double cnn_progress_validation_accuracy(const cnn_progress *progress);

/* The learning rate of the latest step, and the seconds since this epoch began. */
CNN_API double cnn_progress_learning_rate(const cnn_progress *progress);
CNN_API double cnn_progress_seconds(const cnn_progress *progress);

/* How many batches make one update in cnn_trainer_fit(), 1 (default) to 2147483647: their gradients
 * are added, each with the weight of its samples, which gives those of one batch of all of them;
 * the last batches of an epoch make an update of their own.  An update is one step: of progress,
 * which is told after it, of the optimizer, its schedule and the average; until it is made the
 * model is as the one before left it, and what ends the training in between leaves nothing.  Takes
 * effect with the next epoch.  Memory is that of one batch, and above 1 that of the running
 * statistics once more.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_MEMORY: it stays what it was. */
CNN_API cnn_status cnn_trainer_set_accumulation(cnn_trainer *trainer, int64_t batches);

/* Whether validation and cnn_trainer_evaluate() also look at the mirror image of each picture: 1
 * or 0 (default).  The probabilities of both, for softmax cross-entropy, or else the outputs, are
 * averaged; see cnn_session_set_flip_averaging().  Holds room for a batch of pictures and outputs.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_SHAPE: inputs other than pictures [h][w][c], or
 * outputs other than vectors.  CNN_ERROR_MEMORY: it stays off. */
CNN_API cnn_status cnn_trainer_set_flip_averaging(cnn_trainer *trainer, int32_t on);

/* Ends cnn_trainer_fit(), with CNN_OK, after so many epochs in a row that were no better than the
 * best before them; 0 (default): never.  The best epoch has the highest validation accuracy; of
 * equal ones, and for losses without classes, the lowest validation loss; of equal ones the first.
 * What is not a number is worse than any number.
 * CNN_ERROR_INVALID: below 0. */
CNN_API cnn_status cnn_trainer_set_patience(cnn_trainer *trainer, int64_t epochs);

/* Whether cnn_trainer_fit() keeps the weights of its best epoch, as they were validated, and gives
 * them back to the model when it ends, also when it is cancelled or stopped by the callback (with
 * an average, they become the average, and the trained weights stay what they are): 1, or 0
 * (default).  After another error the model is as the last completed step left it.  Holds the
 * memory of the weights once more; turned on, it forgets which epoch was the best until then.
 * CNN_ERROR_INVALID: another number.  CNN_ERROR_MEMORY: it stays off.  CNN_ERROR_STATE:
 * cnn_trainer_fit() is running. */
CNN_API cnn_status cnn_trainer_set_keep_best(cnn_trainer *trainer, int32_t on);

/* The best epoch, from 1, of the running or else the latest cnn_trainer_fit(), and its validation
 * accuracy and loss; 0 and NaN before an epoch was validated.  In a progress callback at
 * CNN_PROGRESS_EPOCH it includes the epoch that has just ended. */
CNN_API int64_t cnn_trainer_best_epoch(const cnn_trainer *trainer);
CNN_API double cnn_trainer_best_accuracy(const cnn_trainer *trainer);
CNN_API double cnn_trainer_best_loss(const cnn_trainer *trainer);

/* Makes a model of the same layers with the weights that cnn_trainer_set_keep_best() keeps, as
 * cnn_model_load() would make one that was saved then; the caller frees it.  For a progress
 * callback, after cnn_trainer_resume(), and whenever else the trainer's own model has others.
 * CNN_ERROR_STATE: none are kept, no epoch was validated yet, or somebody is changing the weights.
 * CNN_ERROR_LIMIT: the context's limits are below the model's size.  CNN_ERROR_MEMORY. */
CNN_API cnn_status cnn_trainer_copy_best(cnn_model **model, const cnn_trainer *trainer);

/* Trains for `epochs` epochs of `training`, from the beginning of cnn_loader_epoch() on, validating
 * after each on epoch 0 of `validation` (NULL: not), whose place stays what it was; it may be the
 * same loader.  After cnn_trainer_resume() it goes on where the checkpoint was written, in the same
 * epoch of as many.  Borrows the loaders for the call, and `progress` (NULL: none) with `user`.
 * The statuses of cnn_trainer_step() and cnn_loader_next(); CNN_ERROR_CANCELLED after
 * cnn_trainer_cancel() or when the callback returned other than 0.  After any error the model is as
 * the last completed step left it, but see cnn_trainer_set_keep_best(), and `training` comes to the
 * batch behind that step.  Before the first step, CNN_ERROR_STATE: in a callback of this function.
 * CNN_ERROR_INVALID: no validation, but patience or the best epoch asked for; after
 * cnn_trainer_resume(), another loader than it has put to its place.  CNN_ERROR_SHAPE: a loader of
 * larger batches than the trainer's, of other samples than the model's input, or of more classes
 * than the model's output tells apart; one that mixes its samples, of another number of classes
 * than the model has outputs. */
CNN_API cnn_status cnn_trainer_fit(cnn_trainer *trainer, cnn_loader *training,
                                   cnn_loader *validation, int64_t epochs, cnn_progress_fn progress,
                                   void *user);

/* Mean loss and share of right classes of epoch 0 of `loader`, whose place stays what it was,
 * predicting (no dropout).  `loss` and `accuracy` may be NULL.  Others may predict with the model
 * and save it meanwhile, though not at the moment when it gets the averaged weights, where there
 * are any.  Statuses of cnn_trainer_fit(). */
CNN_API cnn_status cnn_trainer_evaluate(double *loss, double *accuracy, cnn_trainer *trainer,
                                        cnn_loader *loader);

/* Makes a running cnn_trainer_fit() or cnn_trainer_evaluate() of this trainer return
 * CNN_ERROR_CANCELLED at its next step; both, where a callback of one has called the other.  Where
 * none is running it does nothing: who may be asked to stop just before one begins also remembers
 * that, for the progress callback to look at.  May be called concurrently, and from a signal
 * handler. */
CNN_API void cnn_trainer_cancel(cnn_trainer *trainer);

/* ---- Checking ------------------------------------------------------------------------------ */

/* Compares the gradients that backward computes for `model` and `loss` on one batch with finite
 * differences of the loss, for each parameter and for the input: along the gradient, and for
 * sixteen of its elements.  Writes the largest relative difference into `error`: below 0.05 when
 * all is well (single precision and the corners of ReLU and max-pooling allow no more), near 1 when
 * a gradient is wrong; `worst`, of `worst_size` bytes, gets the name of that parameter ("input" for
 * the input) and may be NULL.  Dropout does not act.  The weights are as before afterwards;
 * gradients that there were are cleared.  Slow: for tests.
 * Statuses as for cnn_trainer_create() and cnn_trainer_step(). */
CNN_API cnn_status cnn_model_check_gradients(double *error, char *worst, size_t worst_size,
                                             cnn_model *model, cnn_loss loss,
                                             const cnn_tensor *const *inputs, int32_t input_count,
                                             const cnn_tensor *const *targets,
                                             int32_t target_count);

CNN_END_DECLS

#endif
