/* SPDX-License-Identifier: MIT
 * A model: a graph of layers with one input and one output, and what a classifier needs besides
 * (class names, the size and normalisation of its pictures).
 *
 * Layers are numbered from 0 in the order of adding; each names the layers whose outputs it takes,
 * all added before it, so that a graph has no cycles.  The output is that of the layer added last.
 *
 * A model may be read, predicted with (one session per thread) and saved concurrently while nobody
 * changes it.  Predicting with a model, saving it or setting its weights during a training step of
 * it is CNN_ERROR_STATE. */
#ifndef CNN_MODEL_H
#define CNN_MODEL_H

#include "cnn/layer.h"

CNN_BEGIN_DECLS

typedef struct cnn_model cnn_model;

/* Creates an empty model for inputs of `shape` without the batch dimension, [h][w][c] for pictures.
 * CNN_ERROR_SHAPE: as cnn_tensor_create(), or of rank 8, which leaves no room for the batch. */
CNN_API cnn_status cnn_model_create(cnn_model **model, cnn_context *context, const int64_t *shape,
                                    int32_t rank);

CNN_API void cnn_model_free(cnn_model *model);

/* Adds `layer` behind the layer added last (the first one: behind the model's input), and builds
 * it.  Shares the layer, which can be in one model only and no longer be run alone.
 * CNN_ERROR_SHAPE: the layer cannot take that output; the text has both.  CNN_ERROR_STATE: the
 * layer is in a model already, or a session or trainer of this model exists or has existed.
 * CNN_ERROR_LIMIT: too many layers.  CNN_ERROR_INVALID: another layer of the model has the same
 * name. */
CNN_API cnn_status cnn_model_add(cnn_model *model, cnn_layer *layer);

/* Stands for the model's input among the inputs of a layer. */
enum { CNN_MODEL_INPUT = -1 };

/* As cnn_model_add(), with the layer's inputs named: `inputs[i]` is the number of a layer of this
 * model or CNN_MODEL_INPUT.  A layer whose output nobody takes, other than the last, is refused
 * when a session or trainer is created (CNN_ERROR_STATE). */
CNN_API cnn_status cnn_model_add_with_inputs(cnn_model *model, cnn_layer *layer,
                                             const int32_t *inputs, int32_t input_count);

/* Creates the same network for inputs of another `shape`, of the same rank and last dimension: the
 * layers with their options and names, copies of the parameters' values, class names and
 * normalisation.  Networks that end in a global pooling can so be trained on small pictures, which
 * is cheap, and predict larger ones.  After training with random crops, which show things enlarged,
 * this is often even more accurate than predicting at the size of training (Touvron et al. 2019).
 * `shape` has `rank` numbers and no batch dimension, [h][w][c] for pictures.  The caller owns the
 * new model, which shares nothing with `model`.  No other thread may change `model` meanwhile.
 * CNN_ERROR_SHAPE: rank or last dimension differ, or a layer does not fit: a window larger than its
 * input, or weights that belong to one size, as those of a dense layer behind a flatten.
 * CNN_ERROR_STATE: the model is in the middle of a training step.  CNN_ERROR_INVALID: a NULL.
 * CNN_ERROR_MEMORY. */
CNN_API cnn_status cnn_model_create_resized(cnn_model **resized, const cnn_model *model,
                                            const int64_t *shape, int32_t rank);

/* ---- Looking at it ------------------------------------------------------------------------ */

/* How many layers there are. */
CNN_API int32_t cnn_model_layer_count(const cnn_model *model);

/* Layer number `index`, NULL for a number it does not have.  Borrowed until the model is freed. */
CNN_API cnn_layer *cnn_model_layer(cnn_model *model, int32_t index);

/* Writes the shape, without the batch dimension, of the model's input, of the output of layer
 * `index`, or of the model's output, into `shape` (room for 8) and `rank`.
 * CNN_ERROR_STATE: the output of a model without layers. */
CNN_API cnn_status cnn_model_input_shape(int64_t *shape, int32_t *rank, const cnn_model *model);
CNN_API cnn_status cnn_model_layer_shape(int64_t *shape, int32_t *rank, const cnn_model *model,
                                         int32_t index);
CNN_API cnn_status cnn_model_output_shape(int64_t *shape, int32_t *rank, const cnn_model *model);

/* How many numbers are trained, in the whole model and in layer `index`. */
CNN_API int64_t cnn_model_parameters(const cnn_model *model);
CNN_API int64_t cnn_model_layer_parameters(const cnn_model *model, int32_t index);

/* ---- Parameters by name, "conv2d1.weight", as in model files ------------------------------- */

/* How many parameter tensors there are, and the name of each.  Borrowed until the model is freed;
 * NULL for a number it does not have. */
CNN_API int32_t cnn_model_parameter_count(const cnn_model *model);
CNN_API const char *cnn_model_parameter_name(const cnn_model *model, int32_t index);

/* As cnn_layer_parameter_shape(), cnn_layer_get_parameter(), cnn_layer_set_parameter() and
 * cnn_layer_get_gradient(), with their statuses, by name. */
CNN_API cnn_status cnn_model_parameter_shape(int64_t *shape, int32_t *rank, const cnn_model *model,
                                             const char *name);
CNN_API cnn_status cnn_model_get_parameter(const cnn_model *model, const char *name,
                                           cnn_tensor *values);
CNN_API cnn_status cnn_model_set_parameter(cnn_model *model, const char *name,
                                           const cnn_tensor *values);
CNN_API cnn_status cnn_model_get_gradient(const cnn_model *model, const char *name,
                                          cnn_tensor *values);

/* ---- Fine-tuning -------------------------------------------------------------------------- */

/* cnn_layer_set_trained() for layers `first` to `end` - 1, all or none of them: with 0 and the
 * number of the new head's first layer, only the head is trained.
 * CNN_ERROR_INVALID: `trained` is neither 0 nor 1, or not 0 <= first <= end <= layer count.
 * CNN_ERROR_STATE: the model is in the middle of a training step. */
CNN_API cnn_status cnn_model_set_trained(cnn_model *model, int32_t first, int32_t end,
                                         int32_t trained);

/* ---- Pictures and classes ----------------------------------------------------------------- */

/* Names the classes, in the order of the outputs.  Each 1 to 255 bytes of UTF-8; copied.
 * CNN_ERROR_LIMIT: too many classes. */
CNN_API cnn_status cnn_model_set_classes(cnn_model *model, const char *const *names, int32_t count);

/* How many names are set, and each of them.  Borrowed until they are set anew or the model is
 * freed; NULL for a number it does not have. */
CNN_API int32_t cnn_model_class_count(const cnn_model *model);
CNN_API const char *cnn_model_class_name(const cnn_model *model, int32_t index);

/* How bytes become numbers: (byte / 255 - mean[c]) / deviation[c] for each of the input's
 * `channels`.  Default mean 0.5 and deviation 0.5, that is -1 .. 1.
 * CNN_ERROR_SHAPE: the model's input has another number of channels.
 * CNN_ERROR_INVALID: a value that is not finite, or a deviation not above 0. */
CNN_API cnn_status cnn_model_set_normalization(cnn_model *model, const float *mean,
                                               const float *deviation, int32_t channels);
CNN_API cnn_status cnn_model_normalization(float *mean, float *deviation, const cnn_model *model,
                                           int32_t channels);

/* Sets which algorithms the conv2d layers that the model has now may use, as
 * cnn_conv2d_set_algorithm(); kept in the model's file.
 * CNN_ERROR_INVALID: no such algorithm.  CNN_ERROR_STATE: a session or trainer of this model exists
 * or has existed. */
CNN_API cnn_status cnn_model_set_algorithm(cnn_model *model, cnn_algorithm algorithm);

/* Turns one decoded picture (uint8 [h][w][c], see image.h) into row `row` of `inputs`, a float32
 * tensor [n][model h][model w][c]: resized to the model's size and normalised, exactly as a loader
 * does without augmentation.  May be called concurrently.
 * CNN_ERROR_SHAPE: the model takes no pictures, or shapes, channels or types that do not fit. */
CNN_API cnn_status cnn_model_prepare_image(const cnn_model *model, cnn_tensor *inputs, int64_t row,
                                           const cnn_tensor *image);

/* ---- Files -------------------------------------------------------------------------------- */

/* A model file is a safetensors file: tensors under their parameter names in PyTorch's layouts, and
 * the graph, class names and normalisation as one JSON text in its metadata. */

/* Writes the model to `path`: complete or not at all, also when the disk is full or the machine
 * stops.  An existing file is replaced only by the complete new one; a kill may leave a part of
 * that in the same folder, under a name that begins with ".libcnn-", which can be deleted.
 * CNN_ERROR_IO: what the system said, with the path.  CNN_ERROR_STATE: no layers.  CNN_ERROR_LIMIT:
 * larger than the context would load. */
CNN_API cnn_status cnn_model_save(const cnn_model *model, const char *path);

/* Writes the same bytes into a new uint8 tensor [bytes]. */
CNN_API cnn_status cnn_model_save_memory(cnn_tensor **bytes, const cnn_model *model);

/* Reads a model.  Everything in the file is checked before it is used.
 * CNN_ERROR_NOT_FOUND: no such file.  CNN_ERROR_IO: it cannot be read.  CNN_ERROR_FORMAT: damaged,
 * cut short, or not written by libcnn.  CNN_ERROR_UNSUPPORTED: from a newer version.
 * CNN_ERROR_LIMIT: larger than the context allows. */
CNN_API cnn_status cnn_model_load(cnn_model **model, cnn_context *context, const char *path);

/* The same from memory, borrowed for the call. */
CNN_API cnn_status cnn_model_load_memory(cnn_model **model, cnn_context *context, const void *bytes,
                                         size_t size);

CNN_END_DECLS

#endif
