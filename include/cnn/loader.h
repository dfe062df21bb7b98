/* SPDX-License-Identifier: MIT
 * Loaders: a dataset as batches of normalised float32 pictures, decoded, resized and augmented by
 * background threads ahead of their use.
 *
 * What a batch holds depends on the dataset, the settings, the seed and the epoch alone, never on
 * threads or timing.  All setters are refused with CNN_ERROR_STATE while an epoch is running, that
 * is between the first cnn_loader_next() and its end or cnn_loader_start(). */
#ifndef CNN_LOADER_H
#define CNN_LOADER_H

#include "cnn/dataset.h"
#include "cnn/model.h"

CNN_BEGIN_DECLS

typedef struct cnn_loader cnn_loader;

/* Creates a loader of batches of `batch` samples of `dataset`, the last one of an epoch smaller,
 * for the input size, channels and normalisation of `model` at this moment.  Shares the dataset;
 * borrows the model for the call.  Defaults: in the dataset's order, no augmentation, no cache, bad
 * pictures are skipped.
 * CNN_ERROR_SHAPE: the model takes no pictures of 1 or 3 channels; uint8 samples in memory have
 * another number of channels; float32 samples, which are used as they are, have another shape than
 * the model's input (of any number of channels).  CNN_ERROR_LIMIT: 2^32 samples or more. */
CNN_API cnn_status cnn_loader_create(cnn_loader **loader, cnn_dataset *dataset, cnn_model *model,
                                     int64_t batch);

CNN_API void cnn_loader_free(cnn_loader *loader);

/* Shuffles each epoch anew, by `seed` and the epoch's number: 1 or 0 (default).  The seed also
 * drives the augmentation and the mixing. */
CNN_API cnn_status cnn_loader_set_shuffle(cnn_loader *loader, int32_t shuffle, uint64_t seed);

/* ---- Augmentation, in the order in which it is applied ------------------------------------- */

/* A random part of the picture instead of all of it: its area a share of `min_area` .. `max_area`
 * (0 < min <= max <= 1) of the whole, its aspect ratio changed by a factor of 1 / max_ratio ..
 * max_ratio (>= 1), evenly in the logarithm (Szegedy et al. 2015).  Defaults 1, 1, 1: off. */
CNN_API cnn_status cnn_loader_set_random_crop(cnn_loader *loader, double min_area, double max_area,
                                              double max_ratio);

/* A turn by up to `degrees` (0 .. 180) either way; corners that come from outside repeat the
 * border.  Default 0: off. */
CNN_API cnn_status cnn_loader_set_random_rotation(cnn_loader *loader, double degrees);

/* The other affine maps, done in one pass with the rotation: rows sheared by up to `shear` degrees
 * (0 .. 60) either way; both sides scaled by one factor from 1 / (1 + zoom) to 1 + zoom
 * (0 <= zoom <= 1), evenly in the logarithm; after the rotation moved across and down, each by up
 * to `translation` (0 .. 1) of that side either way.  What comes from outside repeats the border.
 * Moves are by whole pixels: alone, they are the random crop of a padded picture.
 * Defaults 0, 0, 0: off. */
CNN_API cnn_status cnn_loader_set_random_affine(cnn_loader *loader, double translation, double zoom,
                                                double shear);

/* Mirrored left to right with `probability` 0 .. 1.  Default 0. */
CNN_API cnn_status cnn_loader_set_random_flip(cnn_loader *loader, double probability);

/* Colours drawn to or from their own gray by a factor from 1 - saturation .. 1 + saturation
 * (0 <= saturation <= 1), and their hue turned by up to `hue` degrees (0 .. 180) either way in the
 * plane of Cb and Cr (ITU-R BT.601), which leaves their gray level as it is; then cut to 0 .. 255.
 * Gray pictures stay what they are.  Defaults 0, 0: off. */
CNN_API cnn_status cnn_loader_set_random_tint(cnn_loader *loader, double saturation, double hue);

/* All bytes multiplied by a factor from 1 - brightness .. 1 + brightness, then drawn to or from the
 * picture's mean gray by a factor from 1 - contrast .. 1 + contrast, and cut to 0 .. 255.  Both
 * 0 .. 1; defaults 0: off. */
CNN_API cnn_status cnn_loader_set_random_color(cnn_loader *loader, double brightness,
                                               double contrast);

/* With `probability` 0 .. 1 a rectangle of the sample is erased (Zhong et al. 2017): its area a
 * share of `min_area` .. `max_area` (0 < min <= max <= 1) of the whole, its aspect ratio that of
 * the sample times 1 / max_ratio .. max_ratio (>= 1), evenly in the logarithm, cut where it would
 * be larger than the sample.  Its pixels become 0 behind the normalisation, which is the mean
 * colour.  The paper's numbers: 0.5, 0.02, 0.4, 3.3.  Default probability 0: off. */
CNN_API cnn_status cnn_loader_set_random_erasing(cnn_loader *loader, double probability,
                                                 double min_area, double max_area,
                                                 double max_ratio);

/* ---- Mixing -------------------------------------------------------------------------------- */

/* Mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019).  The good samples of a batch, augmented
 * or float32 ones from memory, are paired at random; of an odd number one stays as it is.  Each
 * pair draws a share from Beta(alpha, alpha).  Mixup makes of both this share of themselves plus
 * the rest of the other; CutMix lets them exchange a rectangle of 1 - share of their area about a
 * random middle, cut to the picture.  With both on, each pair gets one or the other, with
 * probability 1/2.
 * Labels become float32 [n][classes]: the share of each class in the sample, by area in CutMix.
 * `alpha` is 0, or 0.001 .. 1000; usual are 0.2 for mixup and 1 for CutMix.  Defaults 0: off.
 * These are for training; what validates is better a loader that does not mix. */
CNN_API cnn_status cnn_loader_set_mixup(cnn_loader *loader, double alpha);
CNN_API cnn_status cnn_loader_set_cutmix(cnn_loader *loader, double alpha);

/* ---- Running ------------------------------------------------------------------------------- */

/* Keeps pictures decoded from files in memory up to `bytes`, at the size from which batches are
 * cut: that of the model's input, or with a random crop larger.  Each later epoch decodes only what
 * did not fit.  Default 0: none.  Contents of batches do not change.  This call and
 * cnn_loader_set_random_crop() empty the cache. */
CNN_API cnn_status cnn_loader_set_cache(cnn_loader *loader, size_t bytes);

/* Background threads, 0 .. 64; with 0 the work is done inside cnn_loader_next().  Default: the
 * context's number of threads when the loader is created; 0 where that is 1, or where the context
 * has a `parallel_for` of the host.  Samples of a callback are always made inside
 * cnn_loader_next(), and float32 samples in memory are copied there. */
CNN_API cnn_status cnn_loader_set_threads(cnn_loader *loader, int32_t threads);

/* Whether a bad sample, a picture that cannot be read or a callback that fails, ends the epoch with
 * its error (1) or is skipped (0, default): counted in every epoch, and reported to the context's
 * log once by each loader. */
CNN_API cnn_status cnn_loader_set_strict(cnn_loader *loader, int32_t strict);

/* Starts epoch `epoch` (from 0) from its first batch.  Without this call a loader starts with epoch
 * 0, and goes on with the next one after each end. */
CNN_API cnn_status cnn_loader_start(cnn_loader *loader, int64_t epoch);

/* Starts epoch `epoch` with its batch number `batch`, 0 to cnn_loader_batches(): those before count
 * as handed out and are not prepared; with the highest number the epoch is at its end.
 * CNN_ERROR_INVALID: a number out of range. */
CNN_API cnn_status cnn_loader_start_at(cnn_loader *loader, int64_t epoch, int64_t batch);

/* Hands out the next batch: `inputs` float32 [n][h][w][c] and `labels` int32 [n], or of a loader
 * that mixes float32 [n][classes], both borrowed until the next call of this function, of
 * cnn_loader_start() or of cnn_loader_free().  At the end of an epoch both are NULL and the result
 * is CNN_OK.
 * An error ends the epoch; the next call begins the same epoch again.
 * In strict mode the statuses of cnn_image_load(), with the path in the text, or of the callback;
 * an epoch in which every sample was bad is CNN_ERROR_FORMAT; CNN_ERROR_MEMORY is never passed
 * over. */
CNN_API cnn_status cnn_loader_next(cnn_tensor **inputs, cnn_tensor **labels, cnn_loader *loader);

/* Batches and samples of an epoch, bad ones included. */
CNN_API int64_t cnn_loader_batches(const cnn_loader *loader);
CNN_API int64_t cnn_loader_samples(const cnn_loader *loader);

/* The most samples of a batch, as it was created with but no more than the dataset has; and the
 * classes of its dataset. */
CNN_API int64_t cnn_loader_batch_size(const cnn_loader *loader);
CNN_API int32_t cnn_loader_class_count(const cnn_loader *loader);

/* What the labels are: CNN_INT32, or CNN_FLOAT32 where mixup or CutMix is on. */
CNN_API cnn_dtype cnn_loader_label_dtype(const cnn_loader *loader);

/* Writes the shape of one sample, [h][w][c], into `shape` (room for 8) and `rank`. */
CNN_API cnn_status cnn_loader_sample_shape(int64_t *shape, int32_t *rank, const cnn_loader *loader);

/* Samples skipped since the loader was created. */
CNN_API int64_t cnn_loader_skipped(const cnn_loader *loader);

/* The number of the epoch that is running or comes next. */
CNN_API int64_t cnn_loader_epoch(const cnn_loader *loader);

/* The number, from 0, of the batch of that epoch that comes next; batches without any good sample,
 * which are passed over, count.  cnn_loader_start_at() takes both numbers. */
CNN_API int64_t cnn_loader_batch(const cnn_loader *loader);

/* Writes all that decides what batches hold as one line of JSON: the dataset (samples, classes,
 * cnn_dataset_fingerprint()), batch size, order, seed and augmentation.  Loaders with equal texts,
 * of models with equal inputs and normalisation, hand out equal batches.  Cut short if `size` is
 * too small and always ended by a zero byte; `buffer`, the caller's, may be NULL with `size` 0.
 * Returns the bytes of the whole text without the zero; 0, and an empty text, for a loader that is
 * NULL, without memory or without room for another open file.  Members may come with any version.
 */
CNN_API size_t cnn_loader_describe(const cnn_loader *loader, char *buffer, size_t size);

/* Seconds that cnn_loader_next() has taken to complete batches that background threads had not
 * ready, and seconds of processor time that preparing samples has taken on all threads, since the
 * loader was created. */
CNN_API double cnn_loader_wait_seconds(const cnn_loader *loader);
CNN_API double cnn_loader_work_seconds(const cnn_loader *loader);

CNN_END_DECLS

#endif
