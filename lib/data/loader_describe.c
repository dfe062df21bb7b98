/* SPDX-License-Identifier: MIT
 * What decides what a loader's batches hold, as a text: a member for each setting. */
#include <string.h>

#include "base/json_writer.h"
#include "data/loader_internal.h"

static void put_whole(struct cnni_json_writer *json, const char *name, int64_t value)
{
    cnni_json_put_key(json, name);
    cnni_json_put_integer(json, value);
}

static void put_reals(struct cnni_json_writer *json, const struct cnni_augment *augment,
                      const struct cnni_mix *mix)
{
    const struct {
        const char *name;
        double value;
    } reals[] = {
        {"min_area", augment->crop.min_area},
        {"max_area", augment->crop.max_area},
        {"max_ratio", augment->crop.max_ratio},
        {"rotation", augment->degrees},
        {"flip", augment->flip},
        {"brightness", augment->brightness},
        {"contrast", augment->contrast},
        {"translation", augment->translation},
        {"zoom", augment->zoom},
        {"shear", augment->shear},
        {"saturation", augment->saturation},
        {"hue", augment->hue},
        {"erasing", augment->erasing},
        {"erasing_min_area", augment->hole.min_area},
        {"erasing_max_area", augment->hole.max_area},
        {"erasing_max_ratio", augment->hole.max_ratio},
        {"mixup", mix->mixup},
        {"cutmix", mix->cutmix},
    };
    for (int32_t i = 0; i < CNNI_COUNT(reals); i++) {
        cnni_json_put_key(json, reals[i].name);
        cnni_json_put_real(json, reals[i].value);
    }
}

static void put_dataset(struct cnni_json_writer *json, const cnn_dataset *dataset)
{
    uint32_t fingerprint = 0;
    if (json->status == CNN_OK)
        json->status = cnni_dataset_fingerprint(&fingerprint, dataset, json->function);
    cnni_json_open(json, '{');
    put_whole(json, "samples", dataset->count);
    put_whole(json, "classes", dataset->source->classes);
    put_whole(json, "fingerprint", fingerprint);
    cnni_json_close(json, '}');
}

static void put_loader(struct cnni_json_writer *json, const cnn_loader *loader)
{
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "dataset");
    put_dataset(json, loader->dataset);
    put_whole(json, "batch", loader->batch);
    put_whole(json, "shuffle", loader->shuffle);
    cnni_json_put_key(json, "seed");
    cnni_json_put_unsigned(json, loader->preparation.seed);
    put_reals(json, &loader->preparation.augment, &loader->mix);
    cnni_json_close(json, '}');
}

size_t cnn_loader_describe(const cnn_loader *loader, char *buffer, size_t size)
{
    struct cnni_json_writer json;
    size_t length = 0;
    if (buffer == NULL)
        size = 0;
    if (size > 0)
        buffer[0] = '\0';
    if (loader == NULL)
        return 0;
    cnni_json_writer_start(&json, loader->context, __func__);
    put_loader(&json, loader);
    if (json.status == CNN_OK)
        length = json.size;
    if (length > 0 && size > 0) {
        memcpy(buffer, json.bytes, CNNI_MIN(length, size - 1));
        buffer[CNNI_MIN(length, size - 1)] = '\0';
    }
    cnni_json_writer_free(&json);
    return length;
}
