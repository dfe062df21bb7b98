/* SPDX-License-Identifier: MIT
 * What a layer is inside: a class, one per kind, as a constant table of functions and options; and
 * an object that begins with `struct cnn_layer`.  A new kind is one file with its class, a row in
 * layer_list.h and its functions in cnn/layer.h. */
#ifndef CNNI_LAYER_H
#define CNNI_LAYER_H

#include <stdatomic.h>

#include "base/lock.h"
#include "cnn/layer.h"
#include "ops/op_activation.h"
#include "ops/op_conv2d.h"
#include "ops/op_maxpool2d.h"
#include "ops/op_resample.h"
#include "tensor/tensor_internal.h"

/* ---- Options: what setters set and model files store ---- */

/* The type of the field that an option is kept in. */
typedef int32_t cnni_option_type;
enum {
    CNNI_WHOLE = 1, /* int64_t */
    CNNI_REAL = 2   /* double */
};

struct cnni_option {
    const char *name;
    cnni_option_type type;
    size_t offset;    /* in the layer's struct */
    double low, high; /* allowed values, both included */
    double preset;
};

/* The option that `field`, an int64_t of `struct type`, holds. */
#define CNNI_WHOLE_OPTION(type, field, low, high, preset)                                          \
    {                                                                                              \
#field, CNNI_WHOLE, offsetof(struct type, field), low, high, preset                        \
    }

/* A value for one option, by name. */
struct cnni_setting {
    const char *name;
    double value;
};

/* ---- Parameters ---- */

struct cnni_parameter {
    struct cnni_shape shape; /* as in files, for instance [k][c][r][s] */
    /* The same elements as in files: four axes, row-major, with the distance of each in `value`.
     * (The columns of a dense layer are the three axes c, h, w.) */
    int64_t axis[4], step[4];
    int64_t count;
    int64_t fan_in, fan_out; /* for initial values; both 0: they are not drawn */
    float initial;           /* the value, where they are not drawn */
    bool statistic;          /* measured in training steps, not trained: no gradient */
    float *value;
    float *gradient; /* NULL until training needs it */
};

/* The most that a layer has. */
enum { CNNI_MAX_PARAMETERS = 4 };

/* ---- A plan: one layer for one input shape ---- */

struct cnni_layer_plan {
    const cnn_layer *layer;
    struct cnni_shape input, output; /* of one sample; `input` is that of the first */
    const struct cnni_shape *inputs; /* of each, borrowed as long as the plan is used */
    int32_t input_count;
    int64_t max_n;
    int32_t lanes;
    bool training;
    /* Other layers that are done along with it. */
    struct {
        const cnn_layer *norm; /* predicting: a batch normalisation comes first; or NULL */
        bool add;              /* then, another value is added: x[1], with dx[1] */
        struct cnni_activation activation; /* then, this function; kind 0: none */
        bool pool; /* then, the output is pooled as cnni_is_half_pool() says, and backward begins
                      with that of both */
        bool gate; /* backward ends with that of a ReLU before: nothing where its output is <= 0 */
    } fused;

    /* Filled by the class: what a run is to be given, in bytes. */
    size_t state; /* kept from forward to backward */
    size_t forward_scratch;
    size_t backward_scratch; /* for training only */
    size_t packed_forward; /* weights as the kernels read them */
    size_t packed_folded;  /* the same, with the batch normalisation behind it */
    size_t packed_backward;
    union {
        struct cnni_conv2d conv;
        struct cnni_maxpool2d pool;
        struct cnni_resample2d resample;
    } geometry;
};

/* One run, forward or backward.  Arrays are [n][...] of the plan's shapes. */
struct cnni_layer_run {
    const struct cnni_layer_plan *plan;
    int64_t n;
    bool training;
    bool trial;    /* training, but without a trace: no dropout, running statistics stay */
    bool frozen;   /* backward: the gradients of the parameters are not wanted */
    uint64_t step; /* of the training: dropout differs with it */
    const float *const *x;
    float *y;
    float *const *dx; /* each may be NULL: not wanted */
    const float *dy;
    void *state;
    void *scratch;
};

/* ---- Classes ---- */

enum {
    CNNI_BACKWARD_READS_INPUT = 1,
    CNNI_BACKWARD_READS_OUTPUT = 2,
    CNNI_IN_PLACE = 4,     /* elements keep their places: y may be x[0], and dx[0] may be dy */
    CNNI_KEEPS_VALUES = 8, /* and what is written there is what was there */
    CNNI_TAKES_RELU = 16,  /* forward can end with max(., 0) */
    CNNI_GATES_RELU = 32,  /* backward can do that of a ReLU before it in passing */
    CNNI_TAKES_NORM = 64,  /* predicting, forward can include a batch normalisation behind it, a
                              sum and any activation */
    CNNI_TAKES_TAIL =
        128 /* forward can end with a sum and a ReLU, and backward begin with theirs */
};

typedef void cnni_pack_fn(const struct cnni_layer_plan *plan, int32_t lanes, float *packed);

struct cnni_layer_class {
    cnn_layer_kind kind;
    const char *name;
    size_t size; /* of the layer's struct */
    int32_t flags;
    int32_t min_inputs, max_inputs;
    const struct cnni_option *options;
    int32_t option_count;

    /* The output shape for an input shape, which all inputs have. */
    cnn_status (*shape)(const cnn_layer *layer, struct cnni_shape *output,
                        const struct cnni_shape *input, const char *function);
    /* The output shape for inputs that may differ, in place of the above; NULL: they may not. */
    cnn_status (*join)(const cnn_layer *layer, struct cnni_shape *output,
                       const struct cnni_shape *inputs, int32_t input_count, const char *function);
    /* Describes the parameters for that input, all but the values; returns how many.  `origin` is
     * what the values were before a flatten made a vector of them, for the order of a dense layer's
     * columns in files.  NULL: none. */
    int32_t (*parameters)(const cnn_layer *layer, struct cnni_parameter *parameter,
                          const struct cnni_shape *input, const struct cnni_shape *origin);
    /* Whether max-pooling as of cnni_is_half_pool() can be done along with it; NULL: never. */
    bool (*takes_pool)(const cnn_layer *layer);
    /* Completes a plan; NULL where nothing is needed. */
    cnn_status (*plan)(struct cnni_layer_plan *plan, const char *function);
    /* Packs the weights as planned, on at most `lanes` threads; NULL with no packed weights. */
    cnni_pack_fn *pack_forward, *pack_folded, *pack_backward;
    void (*forward)(const struct cnni_layer_run *run);
    void (*backward)(const struct cnni_layer_run *run);
    /* The function that forward applies to each element; NULL: forward is no such thing. */
    void (*activation)(const cnn_layer *layer, struct cnni_activation *activation);
    /* How the plan is run: a name of the algorithm, and the operations of one sample; NULL: it
     * goes over the elements. */
    const char *(*explain)(const struct cnni_layer_plan *plan, double *operations);
    /* Appends to the kind's name what a description says of its options; NULL: nothing. */
    void (*describe)(const cnn_layer *layer, char *buffer, size_t size);
};

#define CNNI_LAYER(class) extern const struct cnni_layer_class class;
#include "layers/layer_list.h"

/* The shape rule of classes that work element by element. */
cnn_status cnni_shape_of_input(const cnn_layer *layer, struct cnni_shape *output,
                               const struct cnni_shape *input, const char *function);

/* The class of a kind, and by name; NULL for none. */
const struct cnni_layer_class *cnni_layer_class(cnn_layer_kind kind);
const struct cnni_layer_class *cnni_layer_class_named(const char *name);

/* ---- Layers ---- */

/* Weights as the kernels read them, made anew when `version` is not the layer's. */
struct cnni_packed {
    float *weights;
    size_t size; /* bytes */
    uint64_t version;
};

enum { CNNI_NAME_SIZE = 201, CNNI_MAX_INPUTS = 64 };

/* The memory and plan of a layer that is run on its own: layer_solo.c. */
struct cnni_solo;

/* Who may use the weights when: layer_gate.h. */
struct cnni_weight_gate;

struct cnn_layer {
    atomic_int references;
    cnn_context *context;
    const struct cnni_layer_class *class;
    char name[CNNI_NAME_SIZE];
    bool named; /* by the user, not by default */
    bool built;
    atomic_bool in_model;          /* cleared by the last free of the model, on any thread */
    struct cnni_weight_gate *gate; /* shared with the model, the latest one; NULL: there was none */
    cnn_initializer initializer;
    uint64_t seed, stream; /* of its random numbers */
    int32_t parameter_count;
    struct cnni_parameter parameter[CNNI_MAX_PARAMETERS];
    _Atomic uint64_t version; /* of the weights: grows with every change */
    struct cnni_packed forward, folded, backward;
    struct {
        int32_t frozen;                     /* 1 or 0 */
        double learning_rate, weight_decay; /* factors */
    } training;                             /* how optimizers treat it: layer_training.c */
    struct cnni_solo *solo;
};

/* A new layer of `class` with its preset options; and the same with the first ones set. */
cnn_status cnni_layer_create(cnn_layer **layer, cnn_context *context,
                             const struct cnni_layer_class *class,
                             const struct cnni_setting *settings, int32_t setting_count,
                             const char *function);

/* A layer with the options, name and random numbers of `layer`, not built; built, its parameters
 * are zeros. */
cnn_status cnni_layer_copy(cnn_layer **copy, const cnn_layer *layer, const char *function);

/* Sets options, all or none, after checking that the layer is of `class`, not built, and that every
 * value is in its option's range.  A name that the class does not have is CNN_ERROR_NOT_FOUND. */
cnn_status cnni_layer_set(cnn_layer *layer, const struct cnni_layer_class *class,
                          const struct cnni_setting *settings, int32_t setting_count,
                          const char *function);

/* Sets the options NAME_height and NAME_width. */
cnn_status cnni_layer_set_pair(cnn_layer *layer, const struct cnni_layer_class *class,
                               const char *name, int64_t vertical, int64_t horizontal,
                               const char *function);

/* CNN_ERROR_SHAPE, unless `input` is [h][w][c]. */
cnn_status cnni_layer_check_picture(const cnn_layer *layer, const struct cnni_shape *input,
                                    const char *function);

/* The value of an option, for files and descriptions. */
double cnni_layer_option(const cnn_layer *layer, const struct cnni_option *option);

/* Appends to a text in `buffer` of `size` bytes, cut short where they end. */
__attribute__((format(printf, 3, 4))) void cnni_append_text(char *buffer, size_t size,
                                                            const char *format, ...);

/* Appends " NAME VERTICALxHORIZONTAL", unless both are what they are by default. */
void cnni_append_pair(char *buffer, size_t size, const char *name, int64_t vertical,
                      int64_t horizontal, int64_t preset);

cnn_layer *cnni_layer_share(cnn_layer *layer);

/* The output shape for `input_count` inputs, as many as the class allows.  CNN_ERROR_SHAPE also
 * where they differ and the layer wants one shape. */
cnn_status cnni_layer_shape(const cnn_layer *layer, struct cnni_shape *output,
                            const struct cnni_shape *inputs, int32_t input_count,
                            const char *function);

/* Builds for inputs of a shape that has been checked, the first of which is `input`, and whose
 * values were `origin` before a flatten: allocates and draws the parameters. */
cnn_status cnni_layer_build(cnn_layer *layer, const struct cnni_shape *input,
                            const struct cnni_shape *origin, const char *function);

/* Allocates the gradients, as zeros, where they are missing; and frees them. */
bool cnni_layer_has_gradients(const cnn_layer *layer);
cnn_status cnni_layer_make_gradients(cnn_layer *layer, const char *function);
void cnni_layer_free_gradients(cnn_layer *layer);

/* Plans the layer: `plan` has the fields above "Filled by the class" set, except the output. */
cnn_status cnni_layer_plan(struct cnni_layer_plan *plan, const char *function);

/* Allocates packed weights as the plan needs them, where those that are there do not suffice; frees
 * those that only training needs; makes all match the parameters, on at most `lanes` threads. */
cnn_status cnni_layer_make_packed(cnn_layer *layer, const struct cnni_layer_plan *plan,
                                  const char *function);
void cnni_layer_free_packed_backward(cnn_layer *layer);
void cnni_layer_refresh(const struct cnni_layer_plan *plan, int32_t lanes);

/* As the public functions, with the name of the one that was called for the text. */
cnn_status cnni_layer_parameter_shape(const cnn_layer *layer, cnn_parameter parameter,
                                      int64_t *shape, int32_t *rank, const char *function);
cnn_status cnni_layer_get_parameter(const cnn_layer *layer, cnn_parameter parameter,
                                    cnn_tensor *values, const char *function);
cnn_status cnni_layer_set_parameter(cnn_layer *layer, cnn_parameter parameter,
                                    const cnn_tensor *values, const char *function);
cnn_status cnni_layer_get_gradient(const cnn_layer *layer, cnn_parameter parameter,
                                   cnn_tensor *values, const char *function);

/* Copies a parameter's values between the order of files and of memory. */
void cnni_parameter_export(float *file, const struct cnni_parameter *parameter,
                           const float *memory);
void cnni_parameter_import(float *memory, const struct cnni_parameter *parameter,
                           const float *file);

/* Makes the layer part of a model whose gate it shares: what it kept for running on its own goes,
 * and its weights are packed anew. */
void cnni_layer_join(cnn_layer *layer, struct cnni_weight_gate *gate);

/* Freezes the layer, or lets it be trained again, inside its gate: layer_training.c. */
void cnni_layer_set_trained(cnn_layer *layer, bool trained);

/* What cnn_conv2d_set_algorithm() sets, also on a built layer that no plan knows yet; other layers
 * have nothing to choose. */
void cnni_conv2d_allow(cnn_layer *layer, cnn_algorithm algorithm);

/* Whether the layer is max-pooling of 2x2 windows with stride 2 and no padding. */
bool cnni_is_half_pool(const cnn_layer *layer);

/* Frees what a layer keeps for running on its own. */
void cnni_solo_free(cnn_context *context, struct cnni_solo *solo);

#endif
