/* SPDX-License-Identifier: MIT
 * Each number is the command line's, if it has one, or else the network's; of the optimizer that it
 * names, the optimizer's. */
#include "recipe.h"

#include "choices.h"
#include "optimizers.h"
#include "schedules.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The share of a training that may be warm-up: the others of a short one are to learn, too. */
static const double most_warmup = 0.25;

/* ---- Completing the options ---------------------------------------------------------------- */

static void fill(double *value, double usual)
{
    if (*value == UNSET)
        *value = usual;
}

static void fill_whole(int64_t *value, int64_t usual)
{
    if (*value == UNSET)
        *value = usual;
}

/* How pictures are changed. */
static void fill_changes(struct options *options, const struct network *network)
{
    fill(&options->flip, network->flip);
    fill(&options->crop, network->smallest_crop);
    fill(&options->rotation, network->rotation);
    fill(&options->translation, network->translation);
    fill(&options->zoom, network->zoom);
    fill(&options->shear, network->shear);
    fill(&options->color, network->color);
    fill(&options->saturation, network->saturation);
    fill(&options->hue, network->hue);
    fill(&options->erase, network->erase);
    fill(&options->mixup, network->mixup);
    fill(&options->cutmix, network->cutmix);
}

/* As much larger than --size as in the network's recipe: random crops show things larger than they
 * are.  Without these the same. */
static int64_t predict_size(const struct options *options, const struct network *network)
{
    if (network->predict_size == 0 || options->crop >= 1)
        return options->size;
    const int64_t size =
        (options->size * network->predict_size + network->size / 2) / network->size;
    return size < LARGEST_SIZE ? size : LARGEST_SIZE;
}

/* What is mirrored in no training picture is another thing in a mirror. */
static void fill_sizes(struct options *options, const struct network *network)
{
    const bool is_drawn = options->operand_count == 0;

    fill_whole(&options->size, network->size);
    fill_whole(&options->predict_size, predict_size(options, network));
    fill_whole(&options->epochs, is_drawn ? network->drawing_epochs : network->epochs);
    fill_whole(&options->batch, network->batch);
    fill_whole(&options->flip_average, network->flip_average && options->flip > 0);
}

static bool fill_steps(struct options *options, const struct network *network)
{
    if (options->optimizer == NULL)
        options->optimizer = network->optimizer;
    const struct optimizer *optimizer = optimizer_find(options->optimizer);
    if (optimizer == NULL)
        return false;
    const bool is_own = strcmp(optimizer->name, network->optimizer) == 0;
    fill(&options->learning_rate, is_own ? network->learning_rate : optimizer->learning_rate);
    fill(&options->weight_decay, is_own ? network->weight_decay : optimizer->weight_decay);
    fill(&options->ema, network->average);
    fill(&options->label_smoothing, network->label_smoothing);
    return true;
}

const struct network *recipe_complete(struct options *options)
{
    const struct network *network = network_find(options->network);

    if (network == NULL)
        return NULL;
    fill_changes(options, network);
    fill_sizes(options, network);
    return fill_steps(options, network) ? network : NULL;
}

/* ---- Targets ------------------------------------------------------------------------------- */

static cnn_status weigh_nothing(cnn_trainer *trainer, const cnn_dataset *dataset)
{
    (void)trainer;
    (void)dataset;
    return CNN_OK;
}

static cnn_status balance_classes(cnn_trainer *trainer, const cnn_dataset *dataset)
{
    const int32_t classes = cnn_dataset_class_count(dataset);
    double *weights = calloc((size_t)classes, sizeof *weights);
    cnn_status status = CNN_ERROR_MEMORY;

    if (weights != NULL)
        status = cnn_dataset_class_weights(weights, classes, dataset);
    if (status == CNN_OK)
        status = cnn_trainer_set_class_weights(trainer, weights, classes);
    free(weights);
    return status;
}

struct class_weights {
    const char *name;
    cnn_status (*set)(cnn_trainer *trainer, const cnn_dataset *dataset);
};

static const struct class_weights *class_weights_find(const char *name)
{
    static const struct class_weights rows[] = {{"balanced", balance_classes},
                                                {"none", weigh_nothing}};
    static const struct choices choices = {"class-weights", rows, sizeof rows / sizeof rows[0],
                                           sizeof rows[0]};

    return choices_find(&choices, name);
}

cnn_status recipe_weigh(cnn_trainer *trainer, const struct options *options,
                        const cnn_dataset *dataset)
{
    const cnn_status status = cnn_trainer_set_label_smoothing(trainer, options->label_smoothing);

    return status == CNN_OK ? class_weights_find(options->class_weights)->set(trainer, dataset)
                            : status;
}

/* ---- Steps --------------------------------------------------------------------------------- */

bool recipe_check(const struct options *options)
{
    return schedule_find(options->schedule) != NULL &&
           class_weights_find(options->class_weights) != NULL;
}

/* The steps that are slower, of a training whose epochs have `steps`. */
static int64_t warmup_steps(const struct network *network, const struct options *options,
                            int64_t steps)
{
    const double epochs = fmin(network->warmup_epochs, most_warmup * (double)options->epochs);

    return (int64_t)(epochs * (double)steps);
}

cnn_status recipe_optimize(cnn_optimizer **optimizer, cnn_context *context,
                           const struct network *network, const struct options *options,
                           int64_t batches)
{
    const int64_t together = options->accumulate;
    const int64_t steps = (batches + together - 1) / together; /* of an epoch */
    cnn_status status =
        optimizer_find(options->optimizer)->create(optimizer, context, options->learning_rate);

    if (status == CNN_OK)
        status = cnn_optimizer_set_weight_decay(*optimizer, options->weight_decay);
    if (status == CNN_OK)
        status = cnn_optimizer_set_clip_norm(*optimizer, network->clip_norm);
    if (status == CNN_OK)
        status =
            schedule_find(options->schedule)
                ->set(*optimizer, options->epochs * steps, warmup_steps(network, options, steps));
    return status;
}

cnn_status recipe_refine(cnn_trainer *trainer, const struct options *options)
{
    cnn_status status = cnn_trainer_set_average(trainer, options->ema);

    if (status == CNN_OK)
        status = cnn_trainer_set_accumulation(trainer, options->accumulate);
    if (status == CNN_OK)
        status = cnn_trainer_set_patience(trainer, options->patience > 0 ? options->patience : 0);
    if (status == CNN_OK)
        status = cnn_trainer_set_flip_averaging(trainer, (int32_t)options->flip_average);
    return status;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

/* Where a pixel comes from. */
static cnn_status move_pixels(cnn_loader *loader, const struct options *options)
{
    const double most_ratio = options->crop < 1 ? 4.0 / 3.0 : 1;
    cnn_status status = cnn_loader_set_random_crop(loader, options->crop, 1.0, most_ratio);

    if (status == CNN_OK)
        status = cnn_loader_set_random_rotation(loader, options->rotation);
    if (status == CNN_OK)
        status = cnn_loader_set_random_affine(loader, options->translation, options->zoom,
                                              options->shear);
    if (status == CNN_OK)
        status = cnn_loader_set_random_flip(loader, options->flip);
    return status;
}

/* What becomes of it. */
static cnn_status change_pixels(cnn_loader *loader, const struct options *options)
{
    cnn_status status = cnn_loader_set_random_tint(loader, options->saturation, options->hue);

    if (status == CNN_OK)
        status = cnn_loader_set_random_color(loader, options->color, options->color);
    if (status == CNN_OK)
        status = cnn_loader_set_random_erasing(loader, options->erase, 0.02, 0.4, 10.0 / 3.0);
    return status;
}

cnn_status recipe_augment(cnn_loader *loader, const struct options *options)
{
    cnn_status status = move_pixels(loader, options);

    if (status == CNN_OK)
        status = change_pixels(loader, options);
    if (status == CNN_OK)
        status = cnn_loader_set_mixup(loader, options->mixup);
    if (status == CNN_OK)
        status = cnn_loader_set_cutmix(loader, options->cutmix);
    return status;
}
