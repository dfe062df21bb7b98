/* SPDX-License-Identifier: MIT
 * What of a loader can be set, each while no epoch is running.  What comes of it is in augment.c,
 * mix.c and the other files of the loader. */
#include <float.h>

#include "base/error.h"
#include "data/loader_internal.h"

static cnn_status check_idle(const cnn_loader *loader, const char *function)
{
    if (loader == NULL)
        return cnni_fail_null(NULL, function, "loader");
    if (loader->running)
        return cnni_fail(loader->context, CNN_ERROR_STATE,
                         "%s: epoch %lld is running, must have ended or been left by "
                         "cnn_loader_start()",
                         function, (long long)loader->epoch);
    return CNN_OK;
}

/* `low` <= value <= `high`, which NaN is not. */
static cnn_status check_range(const cnn_loader *loader, double value, double low, double high,
                              const char *function, const char *argument)
{
    if (value >= low && value <= high)
        return CNN_OK;
    return cnni_fail(loader->context, CNN_ERROR_INVALID, "%s: %s is %g, must be %g to %g", function,
                     argument, value, low, high);
}

cnn_status cnn_loader_set_shuffle(cnn_loader *loader, int32_t shuffle, uint64_t seed)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, shuffle, 0, 1, __func__, "shuffle"));
    loader->shuffle = shuffle == 1;
    loader->preparation.seed = seed;
    return CNN_OK;
}

/* ---- Augmentation -------------------------------------------------------------------------- */

/* A share of the picture's area: above 0, at most `high`. */
static cnn_status check_area(const cnn_loader *loader, double value, double high,
                             const char *function, const char *argument)
{
    if (value > 0 && value <= high)
        return CNN_OK;
    return cnni_fail(loader->context, CNN_ERROR_INVALID,
                     "%s: %s is %g, must be above 0 and at most %g", function, argument, value,
                     high);
}

static cnn_status check_region(const cnn_loader *loader, const struct cnni_region *region,
                               const char *function)
{
    CNNI_TRY(check_area(loader, region->max_area, 1, function, "max_area"));
    CNNI_TRY(check_area(loader, region->min_area, region->max_area, function, "min_area"));
    if (region->max_ratio >= 1 && region->max_ratio <= DBL_MAX)
        return CNN_OK;
    return cnni_fail(loader->context, CNN_ERROR_INVALID,
                     "%s: max_ratio is %g, must be finite and at least 1", function,
                     region->max_ratio);
}

cnn_status cnn_loader_set_random_crop(cnn_loader *loader, double min_area, double max_area,
                                      double max_ratio)
{
    const struct cnni_region crop = {min_area, max_area, max_ratio};
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_region(loader, &crop, __func__));
    /* The size that pictures are decoded and kept at follows from the smallest crop. */
    cnni_cache_clear(&loader->cache, loader->context);
    loader->preparation.augment.crop = crop;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_rotation(cnn_loader *loader, double degrees)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, degrees, 0, 180, __func__, "degrees"));
    loader->preparation.augment.degrees = degrees;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_affine(cnn_loader *loader, double translation, double zoom,
                                        double shear)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, translation, 0, 1, __func__, "translation"));
    CNNI_TRY(check_range(loader, zoom, 0, 1, __func__, "zoom"));
    CNNI_TRY(check_range(loader, shear, 0, 60, __func__, "shear"));
    loader->preparation.augment.translation = translation;
    loader->preparation.augment.zoom = zoom;
    loader->preparation.augment.shear = shear;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_flip(cnn_loader *loader, double probability)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, probability, 0, 1, __func__, "probability"));
    loader->preparation.augment.flip = probability;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_tint(cnn_loader *loader, double saturation, double hue)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, saturation, 0, 1, __func__, "saturation"));
    CNNI_TRY(check_range(loader, hue, 0, 180, __func__, "hue"));
    loader->preparation.augment.saturation = saturation;
    loader->preparation.augment.hue = hue;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_color(cnn_loader *loader, double brightness, double contrast)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, brightness, 0, 1, __func__, "brightness"));
    CNNI_TRY(check_range(loader, contrast, 0, 1, __func__, "contrast"));
    loader->preparation.augment.brightness = brightness;
    loader->preparation.augment.contrast = contrast;
    return CNN_OK;
}

cnn_status cnn_loader_set_random_erasing(cnn_loader *loader, double probability, double min_area,
                                         double max_area, double max_ratio)
{
    const struct cnni_region hole = {min_area, max_area, max_ratio};
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, probability, 0, 1, __func__, "probability"));
    CNNI_TRY(check_region(loader, &hole, __func__));
    loader->preparation.augment.erasing = probability;
    loader->preparation.augment.hole = hole;
    return CNN_OK;
}

/* ---- Mixing -------------------------------------------------------------------------------- */

static cnn_status set_alpha(double *place, cnn_loader *loader, double alpha, const char *function)
{
    if (!(alpha == 0 || (alpha >= 1e-3 && alpha <= 1e3)))
        return cnni_fail(loader->context, CNN_ERROR_INVALID,
                         "%s: alpha is %g, must be 0, or 0.001 to 1000", function, alpha);
    *place = alpha;
    return CNN_OK;
}

cnn_status cnn_loader_set_mixup(cnn_loader *loader, double alpha)
{
    CNNI_TRY(check_idle(loader, __func__));
    return set_alpha(&loader->mix.mixup, loader, alpha, __func__);
}

cnn_status cnn_loader_set_cutmix(cnn_loader *loader, double alpha)
{
    CNNI_TRY(check_idle(loader, __func__));
    return set_alpha(&loader->mix.cutmix, loader, alpha, __func__);
}

/* ---- Running ------------------------------------------------------------------------------- */

cnn_status cnn_loader_set_cache(cnn_loader *loader, size_t bytes)
{
    CNNI_TRY(check_idle(loader, __func__));
    cnni_cache_clear(&loader->cache, loader->context);
    loader->cache.limit = bytes;
    return CNN_OK;
}

cnn_status cnn_loader_set_threads(cnn_loader *loader, int32_t threads)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, threads, 0, CNNI_QUEUE_THREADS, __func__, "threads"));
    loader->threads = threads;
    return CNN_OK;
}

cnn_status cnn_loader_set_strict(cnn_loader *loader, int32_t strict)
{
    CNNI_TRY(check_idle(loader, __func__));
    CNNI_TRY(check_range(loader, strict, 0, 1, __func__, "strict"));
    loader->strict = strict == 1;
    return CNN_OK;
}
