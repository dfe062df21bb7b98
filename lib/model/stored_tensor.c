/* SPDX-License-Identifier: MIT
 * Tensors in safetensors files: types, numbers and their order.  Everything is little-endian. */
#include "model/stored_tensor.h"

#include <string.h>

#include "base/sort.h"

/* ---- Numbers ---- */

/* Written out, so that compilers see one load and one store. */
static void store_word(unsigned char *bytes, uint32_t word)
{
    bytes[0] = (unsigned char)word;
    bytes[1] = (unsigned char)(word >> 8);
    bytes[2] = (unsigned char)(word >> 16);
    bytes[3] = (unsigned char)(word >> 24);
}

static uint32_t load_half_word(const unsigned char *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t load_word(const unsigned char *bytes)
{
    return load_half_word(bytes) | load_half_word(bytes + 2) << 16;
}

void cnni_store_floats(unsigned char *bytes, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        store_word(bytes + 4 * i, bits);
    }
}

void cnni_load_floats(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = load_word(bytes + 4 * i);
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* ---- Types ---- */

static void load_doubles(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = load_word(bytes + 8 * i) | (uint64_t)load_word(bytes + 8 * i + 4) << 32;
        double value;
        memcpy(&value, &bits, sizeof value);
        values[i] = (float)value;
    }
}

/* bfloat16 is the upper half of a float. */
static void load_bfloats(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = load_half_word(bytes + 2 * i) << 16;
        memcpy(&values[i], &bits, sizeof bits);
    }
}

/* The bits of the float for those of an IEEE 754 binary16: sign, 5 bits of exponent with bias 15,
 * 10 of fraction.  Its denormal numbers, multiples of 2^-24, are normal floats. */
static uint32_t widen_half(uint32_t half)
{
    const uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0) {
        const float magnitude = (float)fraction * 0x1p-24f;
        uint32_t bits;
        memcpy(&bits, &magnitude, sizeof bits);
        return sign | bits;
    }
    return sign | (exponent == 31 ? 255u : exponent + 127 - 15) << 23 | fraction << 13;
}

static void load_halves(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = widen_half(load_half_word(bytes + 2 * i));
        memcpy(&values[i], &bits, sizeof bits);
    }
}

const struct cnni_stored_type cnni_stored_f32 = {"F32", 4, cnni_load_floats};

const struct cnni_stored_type *cnni_stored_type_named(struct cnni_json_string name)
{
    static const struct cnni_stored_type unknown = {"of an unknown type", 0, NULL},
                                         others[] = {
                                             {"F16", 2, load_halves},  {"BF16", 2, load_bfloats},
                                             {"F64", 8, load_doubles}, {"BOOL", 1, NULL},
                                             {"U8", 1, NULL},          {"I8", 1, NULL},
                                             {"U16", 2, NULL},         {"I16", 2, NULL},
                                             {"U32", 4, NULL},         {"I32", 4, NULL},
                                             {"U64", 8, NULL},         {"I64", 8, NULL},
                                             {"C64", 8, NULL},         {"F8_E4M3", 1, NULL},
                                             {"F8_E5M2", 1, NULL},
                                         };
    const struct cnni_stored_type *type = &cnni_stored_f32, *next = others;
    while (!cnni_json_equal(name, type->name)) {
        if (next == others + CNNI_COUNT(others))
            return &unknown;
        type = next++;
    }
    return type;
}

/* ---- Order ---- */

static int by_place(const void *a, const void *b)
{
    const struct cnni_stored_tensor *first = *(const struct cnni_stored_tensor *const *)a;
    const struct cnni_stored_tensor *second = *(const struct cnni_stored_tensor *const *)b;
    if (first->offset != second->offset)
        return first->offset < second->offset ? -1 : 1;
    return (first->size > second->size) - (first->size < second->size); /* empty ones first */
}

static int by_name(const void *a, const void *b)
{
    const struct cnni_stored_tensor *first = *(const struct cnni_stored_tensor *const *)a;
    const struct cnni_stored_tensor *second = *(const struct cnni_stored_tensor *const *)b;
    return strcmp(first->name, second->name);
}

static void sort(const struct cnni_stored_tensor **order, const struct cnni_stored_tensor *tensors,
                 int32_t count, cnni_compare_fn *compare)
{
    for (int32_t i = 0; i < count; i++)
        order[i] = &tensors[i];
    cnni_sort(order, count, sizeof *order, compare);
}

const struct cnni_stored_tensor *
cnni_stored_tensors_repeated(const struct cnni_stored_tensor *tensors, int32_t count,
                             const struct cnni_stored_tensor **order)
{
    sort(order, tensors, count, by_name);
    for (int32_t i = 1; i < count; i++)
        if (strcmp(order[i - 1]->name, order[i]->name) == 0)
            return order[i];
    return NULL;
}

const struct cnni_stored_tensor *
cnni_stored_tensors_misplaced(int64_t *end, const struct cnni_stored_tensor *tensors, int32_t count,
                              const struct cnni_stored_tensor **order)
{
    *end = 0;
    sort(order, tensors, count, by_place);
    for (int32_t i = 0; i < count; i++) {
        if (order[i]->offset != *end)
            return order[i];
        *end += (int64_t)order[i]->size;
    }
    return NULL;
}
