/* SPDX-License-Identifier: MIT
 * Reading what PyTorch computed. */
#include "support/torch.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "support/fixtures.h"

enum { MOST_ARRAYS = 2000 };

static struct torch_array arrays[MOST_ARRAYS];
static int32_t array_count;

/* Where reading has come to. */
struct place {
    const uint8_t *bytes, *end;
};

static const uint8_t *take(struct place *place, size_t size)
{
    const uint8_t *bytes = place->bytes;
    ck_assert_msg((size_t)(place->end - bytes) >= size, "a fixture is cut short");
    place->bytes += size;
    return bytes;
}

static uint32_t take_whole(struct place *place)
{
    uint32_t value;
    memcpy(&value, take(place, sizeof value), sizeof value);
    return value;
}

static struct torch_array take_array(struct place *place)
{
    struct torch_array array = {.count = 1};
    array.name_length = take_whole(place);
    array.name = (const char *)take(place, array.name_length);
    array.dtype = *take(place, 1) == 'i' ? CNN_INT32 : CNN_FLOAT32;
    array.rank = (int32_t)take_whole(place);
    ck_assert_int_le(array.rank, CNN_MAX_RANK);
    for (int32_t i = 0; i < array.rank; i++) {
        array.shape[i] = take_whole(place);
        array.count *= array.shape[i];
    }
    array.values = take(place, (size_t)array.count * 4);
    return array;
}

void torch_open(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "torch/%s.bin", name);
    struct file_bytes file = fixture_read(path); /* stays for the rest of the program */
    struct place place = {file.bytes, file.bytes + file.size};
    array_count = 0;
    while (place.bytes < place.end) {
        ck_assert_int_lt(array_count, MOST_ARRAYS);
        arrays[array_count++] = take_array(&place);
    }
}

static const struct torch_array *find(const char *of_case, const char *name)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, "%s/%s", of_case, name);
    size_t length = strlen(wanted);
    for (int32_t i = 0; i < array_count; i++)
        if (arrays[i].name_length == length && memcmp(arrays[i].name, wanted, length) == 0)
            return &arrays[i];
    return NULL;
}

bool torch_has(const char *of_case, const char *name)
{
    return find(of_case, name) != NULL;
}

struct torch_array torch_array(const char *of_case, const char *name)
{
    const struct torch_array *array = find(of_case, name);
    ck_assert_msg(array != NULL, "the fixtures have no %s/%s", of_case, name);
    return *array;
}

cnn_tensor *torch_tensor(cnn_context *context, const char *of_case, const char *name)
{
    cnn_tensor *tensor;
    struct torch_array array = torch_array(of_case, name);
    cnn_status status = cnn_tensor_create(&tensor, context, array.dtype, array.shape, array.rank);
    ck_assert_msg(status == CNN_OK, "%s", cnn_error_message());
    memcpy(cnn_tensor_data(tensor), array.values, (size_t)array.count * 4);
    return tensor;
}

cnn_tensor *torch_tensor_nhwc(cnn_context *context, const char *of_case, const char *name)
{
    cnn_tensor *nhwc, *nchw = torch_tensor(context, of_case, name);
    struct torch_array array = torch_array(of_case, name);
    if (array.rank != 4)
        return nchw;
    const int64_t *dim = array.shape;
    const int64_t shape[] = {dim[0], dim[2], dim[3], dim[1]};
    ck_assert_int_eq(cnn_tensor_create(&nhwc, context, array.dtype, shape, 4), CNN_OK);
    ck_assert_int_eq(cnn_tensor_from_nchw(nhwc, nchw), CNN_OK);
    cnn_tensor_free(nchw);
    return nhwc;
}

double torch_number(const char *of_case, const char *name, int64_t index)
{
    struct torch_array array = torch_array(of_case, name);
    ck_assert_int_lt(index, array.count);
    const char *value = (const char *)array.values + index * 4;
    float real;
    int32_t whole;
    memcpy(&real, value, sizeof real);
    memcpy(&whole, value, sizeof whole);
    return array.dtype == CNN_INT32 ? whole : (double)real;
}
