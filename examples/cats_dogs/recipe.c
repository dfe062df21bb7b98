/* SPDX-License-Identifier: MIT
 * Each number is the command line's, if it has one, or else the network's. */
#include "recipe.h"

#include "console.h"
#include "optimizers.h"
#include "schedules.h"

#include <stdlib.h>
#include <string.h>

static double choose(double given, double usual)
{
    return given >= 0 ? given : usual;
}

/* ---- Options ------------------------------------------------------------------------------- */

/* Without --predict-size as much larger than --size as in the network's recipe. */
static int64_t choose_predict_size(const struct network *network, int64_t size)
{
    if (network->predict_size == 0)
        return size;
    return (size * network->predict_size + network->size / 2) / network->size;
}

const struct network *recipe_complete(struct options *options)
{
    const struct network *network = network_find(options->network);

    if (network == NULL) {
        char names[128];
        network_names(names, sizeof names);
        console_error("--network %s: wanted %s", options->network, names);
        return NULL;
    }
    if (options->size == 0)
        options->size = network->size;
    if (options->predict_size == 0)
        options->predict_size = choose_predict_size(network, options->size);
    if (options->epochs == 0)
        options->epochs = options->operand_count == 0 ? network->drawing_epochs : network->epochs;
    if (options->batch == 0)
        options->batch = network->batch;
    if (options->learning_rate <= 0)
        options->learning_rate = network->learning_rate;
    return network;
}

static bool is_balanced(const struct options *options)
{
    return strcmp(options->class_weights, "balanced") == 0;
}

bool recipe_check(const struct options *options)
{
    if (options->optimizer != NULL && optimizer_find(options->optimizer) == NULL)
        return false;
    if (schedule_find(options->schedule) == NULL)
        return false;
    if (is_balanced(options) || strcmp(options->class_weights, "none") == 0)
        return true;
    console_error("--class-weights %s: wanted balanced or none", options->class_weights);
    return false;
}

/* ---- Steps --------------------------------------------------------------------------------- */

static const char *optimizer_name(const struct network *network, const struct options *options)
{
    return options->optimizer != NULL ? options->optimizer : network->optimizer;
}

cnn_status recipe_optimize(cnn_optimizer **optimizer, cnn_context *context,
                           const struct network *network, const struct options *options,
                           int64_t batches)
{
    const int64_t together = options->accumulate;
    const int64_t steps = (batches + together - 1) / together; /* of an epoch */
    cnn_status status = optimizer_find(optimizer_name(network, options))
                            ->create(optimizer, context, options->learning_rate);

    if (status == CNN_OK)
        status = cnn_optimizer_set_weight_decay(
            *optimizer, choose(options->weight_decay, network->weight_decay));
    if (status == CNN_OK)
        status = cnn_optimizer_set_clip_norm(*optimizer, network->clip_norm);
    if (status == CNN_OK)
        status = schedule_find(options->schedule)
                     ->set(*optimizer, options->epochs * steps,
                           (int64_t)(network->warmup_epochs * (double)steps));
    return status;
}

bool recipe_flips(const struct network *network, const struct options *options)
{
    return options->flip_average || network->flips;
}

cnn_status recipe_refine(cnn_trainer *trainer, const struct network *network,
                         const struct options *options)
{
    cnn_status status = cnn_trainer_set_average(trainer, choose(options->ema, network->average));

    if (status == CNN_OK)
        status = cnn_trainer_set_accumulation(trainer, options->accumulate);
    if (status == CNN_OK)
        status = cnn_trainer_set_patience(trainer, options->patience);
    if (status == CNN_OK)
        status = cnn_trainer_set_flip_averaging(trainer, recipe_flips(network, options));
    return status;
}

/* ---- Pictures ------------------------------------------------------------------------------ */

/* Where a pixel comes from. */
static cnn_status move_pixels(cnn_loader *loader, const struct network *network,
                              const struct options *options)
{
    cnn_status status = cnn_loader_set_random_crop(loader, network->smallest_crop, 1.0, 4.0 / 3.0);

    if (status == CNN_OK)
        status =
            cnn_loader_set_random_rotation(loader, choose(options->rotation, network->rotation));
    if (status == CNN_OK)
        status = cnn_loader_set_random_affine(
            loader, choose(options->translation, network->translation),
            choose(options->zoom, network->zoom), choose(options->shear, network->shear));
    if (status == CNN_OK)
        status = cnn_loader_set_random_flip(loader, 0.5);
    return status;
}

/* What becomes of it. */
static cnn_status change_pixels(cnn_loader *loader, const struct network *network,
                                const struct options *options)
{
    const double color = choose(options->color, network->color);
    cnn_status status =
        cnn_loader_set_random_tint(loader, choose(options->saturation, network->saturation),
                                   choose(options->hue, network->hue));

    if (status == CNN_OK)
        status = cnn_loader_set_random_color(loader, color, color);
    if (status == CNN_OK)
        status = cnn_loader_set_random_erasing(loader, choose(options->erase, network->erase), 0.02,
                                               0.4, 10.0 / 3.0);
    return status;
}

cnn_status recipe_augment(cnn_loader *loader, const struct network *network,
                          const struct options *options)
{
    cnn_status status = move_pixels(loader, network, options);

    if (status == CNN_OK)
        status = change_pixels(loader, network, options);
    if (status == CNN_OK)
        status = cnn_loader_set_mixup(loader, choose(options->mixup, network->mixup));
    if (status == CNN_OK)
        status = cnn_loader_set_cutmix(loader, choose(options->cutmix, network->cutmix));
    return status;
}

/* ---- Targets ------------------------------------------------------------------------------- */

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

cnn_status recipe_weigh(cnn_trainer *trainer, const struct network *network,
                        const struct options *options, const cnn_dataset *dataset)
{
    const cnn_status status = cnn_trainer_set_label_smoothing(
        trainer, choose(options->label_smoothing, network->label_smoothing));

    if (status != CNN_OK || !is_balanced(options))
        return status;
    return balance_classes(trainer, dataset);
}
