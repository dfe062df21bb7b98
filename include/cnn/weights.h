/* SPDX-License-Identifier: MIT
 * Weights from elsewhere: the values of a model's parameters as plain safetensors files, which
 * PyTorch writes with safetensors.torch.save_file(model.state_dict(), "net.safetensors") and reads
 * with model.load_state_dict(safetensors.torch.load_file("net.safetensors")).
 *
 * Shapes and layouts need no thought: parameters have PyTorch's (see layer.h), the columns of a
 * dense layer behind a flatten included.  Only names may differ.  Layers that are named as in
 * PyTorch ("features.0", by cnn_layer_set_name()) need nothing; else a cnn_weights tells them:
 *
 *   cnn_weights_create(&weights, context);
 *   cnn_weights_map_prefix(weights, "features.0.", "conv2d1.");
 *   cnn_weights_map_prefix(weights, "classifier.1.", "dense1.");
 *   cnn_model_load_weights(model, "net.safetensors", weights);
 *
 * Replacing the head of a network of 1000 classes by that of a model of two: what begins with "fc."
 * keeps the values that it was given when the model was made, all else must be there and fit:
 *
 *   cnn_weights_skip(weights, "fc.");
 *   cnn_model_load_weights(model, "resnet18.safetensors", weights);
 *   cnn_weights_count(weights, CNN_WEIGHTS_KEPT);      which is now 2, fc.weight and fc.bias */
#ifndef CNN_WEIGHTS_H
#define CNN_WEIGHTS_H

#include "cnn/model.h"

CNN_BEGIN_DECLS

/* How the names of a file and those of a model belong together; and what became of each of them
 * when a file was loaded. */
typedef struct cnn_weights cnn_weights;

/* Creates one without rules, for which every name is the same on both sides. */
CNN_API cnn_status cnn_weights_create(cnn_weights **weights, cnn_context *context);

CNN_API void cnn_weights_free(cnn_weights *weights);

/* ---- Names -------------------------------------------------------------------------------- */

/* Rules, of which the first that fits a name counts, in the order in which they were added; a name
 * that none fits stays as it is.  Loading replaces the file's side of a rule by the model's, saving
 * the model's by the file's.  Names and prefixes are UTF-8; copied. */

/* The file's `file_name` ("stem.weight") is the model's `model_name` ("conv2d1.weight").
 * CNN_ERROR_INVALID: also for an empty name. */
CNN_API cnn_status cnn_weights_map(cnn_weights *weights, const char *file_name,
                                   const char *model_name);

/* A name that begins with `file_prefix` in the file begins with `model_prefix` in the model.
 * Either may be "": every name begins with that. */
CNN_API cnn_status cnn_weights_map_prefix(cnn_weights *weights, const char *file_prefix,
                                          const char *model_prefix);

/* Loading passes over the tensors whose name in the model begins with `prefix`, and keeps the
 * values of the model's parameters whose name does, whether or not the file has them.  Holds for
 * what the other rules and callbacks say; saving takes no notice. */
CNN_API cnn_status cnn_weights_skip(cnn_weights *weights, const char *prefix);

/* Gives the name on the other side for `name`, borrowed until the next call of the callback; NULL
 * leaves it out.  Must not call back into libcnn with the handles of the running call. */
typedef const char *(*cnn_weights_rename_fn)(void *user, const char *name);

/* Asks callbacks in place of the rules: `to_model` for each tensor of a file that is loaded, in the
 * file's order, `to_file` for each parameter of a model that is saved; NULL for either: the
 * rules. */
CNN_API cnn_status cnn_weights_set_rename(cnn_weights *weights, cnn_weights_rename_fn to_model,
                                          cnn_weights_rename_fn to_file, void *user);

/* Whether loading insists that nothing be missing, unexpected or mismatched (see below): 1
 * (default), or 0 to load what fits and leave the rest. */
CNN_API cnn_status cnn_weights_set_strict(cnn_weights *weights, int32_t strict);

/* ---- Files -------------------------------------------------------------------------------- */

/* Reads values for the model's parameters from the safetensors file at `path`: all that `weights`,
 * NULL for the defaults of a new one, asks for, or none; after a failure the model has the values
 * that it had.  Sessions and trainers of the model may exist.
 *
 * Values may be F32, taken as they are; F16 and BF16, which floats hold exactly; or F64, rounded to
 * the nearest, ties to even, and to infinity beyond the range.  Tensors may come in any order, and
 * may be of any type where no parameter wants them.  "NAME.num_batches_tracked", which PyTorch's
 * batch normalisation counts and libcnn does not, is passed over.  Model files of libcnn are such
 * files too; their checksums are not looked at here.
 *
 * CNN_ERROR_NOT_FOUND: no such file; or names missing or unexpected, or, where it is not strict,
 * not one tensor that is for the model.  CNN_ERROR_SHAPE: names fit, but not all shapes and types.
 * In both cases the text has the first of them and `weights` all.  CNN_ERROR_INVALID: also where
 * two tensors are mapped to one parameter.  CNN_ERROR_STATE: the model is in the middle of a
 * training step, or somebody is predicting with it or saving it at this moment.
 * CNN_ERROR_IO: the file cannot be read.  CNN_ERROR_FORMAT: it is damaged, cut short or no
 * safetensors file.  CNN_ERROR_LIMIT: larger than the context allows. */
CNN_API cnn_status cnn_model_load_weights(cnn_model *model, const char *path, cnn_weights *weights);

/* The same from memory, borrowed for the call. */
CNN_API cnn_status cnn_model_load_weights_memory(cnn_model *model, const void *bytes, size_t size,
                                                 cnn_weights *weights);

/* Writes the values of the model's parameters, F32, under the file's names that `weights` (NULL:
 * the model's) has for them: a file that PyTorch's load_state_dict() takes with strict=True.
 * Complete or not at all, as cnn_model_save().
 * CNN_ERROR_INVALID: also where a callback gave a name that is empty, not UTF-8 or "__metadata__",
 * or where two parameters have one name.  CNN_ERROR_STATE: no parameter is to be written, or the
 * model is in the middle of a training step.  CNN_ERROR_IO: what the system said, with the
 * path.  CNN_ERROR_LIMIT: its header is longer than the context would load. */
CNN_API cnn_status cnn_model_save_weights(const cnn_model *model, const char *path,
                                          const cnn_weights *weights);

/* Writes the same bytes into a new uint8 tensor [bytes]. */
CNN_API cnn_status cnn_model_save_weights_memory(cnn_tensor **bytes, const cnn_model *model,
                                                 const cnn_weights *weights);

/* ---- What became of each name ------------------------------------------------------------- */

/* A parameter of the model is either missing, mismatched, kept or loaded, a tensor of the file
 * either unexpected, mismatched, skipped or loaded. */
typedef int32_t cnn_weights_outcome;

enum {
    CNN_WEIGHTS_MISSING = 1,    /* a parameter that no tensor is for */
    CNN_WEIGHTS_UNEXPECTED = 2, /* a tensor that no parameter is for */
    CNN_WEIGHTS_MISMATCHED = 3, /* a parameter whose tensor has another shape, or a type that cannot
                                   be converted */
    CNN_WEIGHTS_SKIPPED = 4,    /* a tensor that was to be passed over */
    CNN_WEIGHTS_KEPT = 5,       /* a parameter that was to keep its values */
    CNN_WEIGHTS_LOADED = 6      /* a parameter that has the file's values, or would have, had the
                                   others fitted */
};

/* The name of `outcome`, "missing"; "unknown outcome" for any other number.  Borrowed for ever. */
CNN_API const char *cnn_weights_outcome_name(cnn_weights_outcome outcome);

/* These tell of the latest load with this handle that succeeded, or failed because of names or
 * shapes; of none before.  How many names had that outcome: */
CNN_API int32_t cnn_weights_count(const cnn_weights *weights, cnn_weights_outcome outcome);

/* Number `index` of them: the parameter's name in the model; of tensors that are unexpected or
 * skipped, the name in the file.  And a line about it, with shapes and types, for people: names are
 * cut short, and bytes that cannot be shown are written as \xNN.  Borrowed until the next load with
 * this handle or its end; NULL for a number there is not. */
CNN_API const char *cnn_weights_name(const cnn_weights *weights, cnn_weights_outcome outcome,
                                     int32_t index);
CNN_API const char *cnn_weights_text(const cnn_weights *weights, cnn_weights_outcome outcome,
                                     int32_t index);

/* Writes all that into `buffer` of `size` bytes: a line of counts, then the lines of all names in
 * the order of the outcomes' numbers.  Cut short if `size` is too small and always ended by a zero
 * byte; `buffer` may be NULL with `size` 0.  Returns the bytes of the whole text without the zero;
 * 0, and an empty text, for a handle that is NULL. */
CNN_API size_t cnn_weights_describe(const cnn_weights *weights, char *buffer, size_t size);

CNN_END_DECLS

#endif
