/* SPDX-License-Identifier: MIT
 * Checkpoints: a training as a file, from which it goes on as if it had never stopped.
 *
 * A checkpoint is a model file (it loads with cnn_model_load()) that also has the optimizer's
 * averages, the place in the epoch, and all else that decides the next step.  A training that was
 * killed and resumed ends with the same bits as one that ran through, for any number of threads and
 * any CPU level with the same bits.  Writing replaces the file as cnn_model_save() does: whatever
 * happens, the complete old or the complete new checkpoint is there.  A program that is killed
 * while it writes leaves, beside that, a part of the new one in a file ".libcnn-A-B-C", with three
 * hexadecimal numbers; no later call reads or removes it, and once no program writes into that
 * folder it may be deleted. */
#ifndef CNN_CHECKPOINT_H
#define CNN_CHECKPOINT_H

#include "cnn/trainer.h"

CNN_BEGIN_DECLS

/* Makes cnn_trainer_fit() write a checkpoint to `path` (copied; NULL, the default: none) after each
 * epoch, its validation and its progress callback, when it stops before the end, and, where
 * `minutes` is above 0, between two steps when so many minutes have passed since the latest.
 * A checkpoint that cannot be written does not stop the training: the reason goes to the context's
 * log, cnn_trainer_checkpoint_status() has the status, the one before stays, and the next one comes
 * in its time.  While one is written the trainer holds its bytes in memory as well.  The first one
 * takes a look at all samples, cnn_dataset_fingerprint().
 * CNN_ERROR_INVALID: minutes is below 0 or not finite. */
CNN_API cnn_status cnn_trainer_set_checkpoint(cnn_trainer *trainer, const char *path,
                                              double minutes);

/* How writing the latest checkpoint of cnn_trainer_fit() ended; CNN_OK before there was one. */
CNN_API cnn_status cnn_trainer_checkpoint_status(const cnn_trainer *trainer);

/* Writes a checkpoint to `path` now: from a progress callback, or between the steps of a loop of
 * one's own.  `loader` is the one that the training goes over; borrowed for the call.  In
 * cnn_trainer_fit(), and behind it or cnn_trainer_resume() until a step is made or the loader is
 * moved, the place is the one in its epochs; else it is that of the loader in the first epoch.
 * CNN_ERROR_IO: what the system said, with the path.  CNN_ERROR_INVALID: cnn_trainer_fit() is
 * running, over another loader.  CNN_ERROR_STATE: gradients are waiting for cnn_trainer_update(),
 * or batches for the others of their update; or somebody is changing the weights.
 * CNN_ERROR_LIMIT: larger than the context would resume. */
CNN_API cnn_status cnn_trainer_save_checkpoint(cnn_trainer *trainer, const cnn_loader *loader,
                                               const char *path);

/* Puts the training back to where the checkpoint at `path` was written: weights, averages, steps,
 * the rates that changed in between, the note.  `loader` is started at its batch, and the next
 * cnn_trainer_fit() over it goes on there, with as many epochs as the first time (if all of them
 * are done it returns at once); a loop of one's own goes on with cnn_loader_next().
 * Model, optimizer, trainer and loader must have been made and set as those that wrote the file:
 * CNN_ERROR_INVALID for another network, dataset, seed or setting, and the text names the first
 * difference.  (Validation has no part in it.  Datasets are compared by cnn_dataset_fingerprint():
 * names, sizes and first bytes of files, samples in memory, but not what a callback makes, which is
 * the caller's to keep the same.)
 * After an error, nothing has changed.
 * CNN_ERROR_NOT_FOUND: no such file.  CNN_ERROR_IO: it cannot be read.  CNN_ERROR_FORMAT: damaged,
 * cut short, or a model file without a training.  CNN_ERROR_UNSUPPORTED: from a newer version.
 * CNN_ERROR_LIMIT: larger than the context allows.  CNN_ERROR_STATE: cnn_trainer_fit() is running,
 * or somebody is predicting with the model. */
CNN_API cnn_status cnn_trainer_resume(cnn_trainer *trainer, cnn_loader *loader, const char *path);

/* The epoch, from 1, that cnn_trainer_fit() is at, has stopped at, or after cnn_trainer_resume()
 * will go on with: one more than the last when all are done. */
CNN_API int64_t cnn_trainer_epoch(const cnn_trainer *trainer);

/* ---- The caller's own ---------------------------------------------------------------------- */

enum { CNN_NOTE_SIZE = 65536 }; /* bytes of a note at most, with its zero byte */

/* Keeps a text of the caller's, its options or its best result, in the checkpoints written from now
 * on; UTF-8, copied; NULL and "", the default: none.
 * CNN_ERROR_INVALID: not UTF-8.  CNN_ERROR_LIMIT: too long. */
CNN_API cnn_status cnn_trainer_set_note(cnn_trainer *trainer, const char *note);

/* The text that was set, or that came with a checkpoint.  Borrowed until it is set anew, a
 * checkpoint is resumed or the trainer is freed; never NULL. */
CNN_API const char *cnn_trainer_note(const cnn_trainer *trainer);

/* Writes the note of the checkpoint at `path` into `buffer` of `size` bytes, for CNN_NOTE_SIZE
 * always enough, before there is a trainer.  Of the file, all but the values is checked.
 * The statuses of cnn_trainer_resume(); CNN_ERROR_LIMIT also: the buffer is too small. */
CNN_API cnn_status cnn_checkpoint_note(char *buffer, size_t size, cnn_context *context,
                                       const char *path);

CNN_END_DECLS

#endif
