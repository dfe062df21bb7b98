/* SPDX-License-Identifier: MIT
 * Model files: what is saved comes back to the bit; what is damaged, hostile or another program's
 * is refused with the right status and a text, and leaves nothing behind. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "base/file.h"
#include "base/random.h"
#include "cnn.h"
#include "support/accounts.h"
#include "support/expect.h"
#include "support/fixtures.h"
#include "support/folders.h"
#include "support/skip.h"
#include "support/suite.h"

static cnn_context *context;

static struct accounts accounts;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    accounts_open(&accounts, context);
    EXPECT_OK(cnn_context_set_threads(context, 1));
}

static void tear_down(void)
{
    cnn_context_free(context);
    ck_assert_int_eq(accounts.blocks, 0);
}

/* ---- Models -------------------------------------------------------------------------------- */

/* Adds `layer`, made by the call in front, and gives up the test's reference. */
static void add(cnn_model *model, cnn_layer *layer)
{
    EXPECT_OK(cnn_model_add(model, layer));
    cnn_layer_free(layer);
}

static void set_classes(cnn_model *model)
{
    static const char *const names[] = {"cat", "dog \"Rex\"", "\xC3\xA4\xE2\x82\xAC\\"};
    EXPECT_OK(cnn_model_set_classes(model, names, 3));
}

/* Every kind of layer, a branch, and options away from their presets. */
static cnn_model *make_model(void)
{
    static const float mean[] = {0.485f, 0.1f, 1.0f / 3}, deviation[] = {0.229f, 1e-30f, 7};
    cnn_model *model;
    cnn_layer *layer;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){9, 11, 3}, 3));
    EXPECT_OK(cnn_conv2d_create(&layer, context, 6, 3, 2));
    EXPECT_OK(cnn_conv2d_set_padding_sides(layer, 1, 0, 2, 1));
    EXPECT_OK(cnn_conv2d_set_groups(layer, 3));
    EXPECT_OK(cnn_conv2d_set_dilation(layer, 1, 2));
    EXPECT_OK(cnn_conv2d_set_algorithm(layer, CNN_EXACT));
    EXPECT_OK(cnn_layer_set_name(layer, "first \"conv\" \xC3\xA4"));
    add(model, layer);
    EXPECT_OK(cnn_relu_create(&layer, context));
    add(model, layer);
    EXPECT_OK(cnn_conv2d_create(&layer, context, 6, 3, 3));
    EXPECT_OK(cnn_conv2d_set_padding_same(layer));
    EXPECT_OK(cnn_conv2d_set_bias(layer, 0));
    add(model, layer);
    EXPECT_OK(cnn_add_create(&layer, context));
    EXPECT_OK(cnn_model_add_with_inputs(model, layer, (const int32_t[]){1, 2}, 2));
    cnn_layer_free(layer);
    EXPECT_OK(cnn_maxpool2d_create(&layer, context, 3, 2));
    EXPECT_OK(cnn_maxpool2d_set_stride(layer, 2, 1));
    EXPECT_OK(cnn_maxpool2d_set_padding(layer, 1, 1));
    add(model, layer);
    EXPECT_OK(cnn_flatten_create(&layer, context));
    add(model, layer);
    EXPECT_OK(cnn_dropout_create(&layer, context, 0.3));
    add(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 5));
    add(model, layer);
    EXPECT_OK(cnn_dense_create(&layer, context, 3));
    EXPECT_OK(cnn_dense_set_bias(layer, 0));
    add(model, layer);
    EXPECT_OK(cnn_softmax_create(&layer, context));
    add(model, layer);
    set_classes(model);
    EXPECT_OK(cnn_model_set_normalization(model, mean, deviation, 3));
    return model;
}

/* Few bytes, for tests that try every one: [2] -> dense 2. */
static cnn_model *make_small_model(void)
{
    cnn_model *model;
    cnn_layer *layer;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){2}, 1));
    EXPECT_OK(cnn_dense_create(&layer, context, 2));
    add(model, layer);
    return model;
}

/* The bytes of the model's file.  Freed with free(). */
static char *save_bytes(const cnn_model *model, size_t *size)
{
    cnn_tensor *tensor;
    EXPECT_OK(cnn_model_save_memory(&tensor, model));
    *size = cnn_tensor_bytes(tensor);
    char *bytes = malloc(*size);
    memcpy(bytes, cnn_tensor_const_data(tensor), *size);
    cnn_tensor_free(tensor);
    return bytes;
}

static void check_same_file(const cnn_model *model, const char *bytes, size_t size)
{
    size_t other_size;
    char *other = save_bytes(model, &other_size);
    ck_assert_uint_eq(other_size, size);
    ck_assert_mem_eq(other, bytes, size);
    free(other);
}

/* Loads a copy of exactly `size` bytes, so that the sanitizers see a step too far. */
static cnn_status load(cnn_model **model, const char *bytes, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    memcpy(copy, bytes, size);
    cnn_status status = cnn_model_load_memory(model, context, copy, size);
    free(copy);
    return status;
}

/* ---- Round trips --------------------------------------------------------------------------- */

static cnn_tensor *new_tensor(const int64_t *shape, int32_t rank)
{
    cnn_tensor *tensor;
    EXPECT_OK(cnn_tensor_create(&tensor, context, CNN_FLOAT32, shape, rank));
    return tensor;
}

static void check_same_parameters(const cnn_model *a, const cnn_model *b)
{
    ck_assert_int_eq(cnn_model_parameter_count(a), cnn_model_parameter_count(b));
    for (int32_t i = 0; i < cnn_model_parameter_count(a); i++) {
        const char *name = cnn_model_parameter_name(a, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        ck_assert_str_eq(name, cnn_model_parameter_name(b, i));
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, a, name));
        cnn_tensor *of_a = new_tensor(shape, rank), *of_b = new_tensor(shape, rank);
        EXPECT_OK(cnn_model_get_parameter(a, name, of_a));
        EXPECT_OK(cnn_model_get_parameter(b, name, of_b));
        ck_assert_mem_eq(cnn_tensor_data(of_a), cnn_tensor_data(of_b), cnn_tensor_bytes(of_a));
        cnn_tensor_free(of_a);
        cnn_tensor_free(of_b);
    }
}

static cnn_tensor *predict(cnn_model *model, const cnn_tensor *input)
{
    cnn_session *session;
    int64_t shape[1 + CNN_MAX_RANK] = {4};
    int32_t rank;
    EXPECT_OK(cnn_model_output_shape(shape + 1, &rank, model));
    cnn_tensor *output = new_tensor(shape, rank + 1);
    EXPECT_OK(cnn_session_create(&session, model, 4));
    EXPECT_OK(cnn_session_run(session, &output, 1, &input, 1));
    cnn_session_free(session);
    return output;
}

static void check_same_predictions(cnn_model *a, cnn_model *b)
{
    struct cnni_random random;
    cnn_tensor *input = new_tensor((const int64_t[]){4, 9, 11, 3}, 4);
    float *values = cnn_tensor_data(input);
    cnni_random_start(&random, 3, CNNI_RANDOM_CHECK, 0, 0);
    for (int64_t i = 0; i < cnn_tensor_count(input); i++)
        values[i] = (float)cnni_random_normal(&random);
    cnn_tensor *of_a = predict(a, input), *of_b = predict(b, input);
    ck_assert_mem_eq(cnn_tensor_data(of_a), cnn_tensor_data(of_b), cnn_tensor_bytes(of_a));
    cnn_tensor_free(input);
    cnn_tensor_free(of_a);
    cnn_tensor_free(of_b);
}

static void check_same_graph(cnn_model *a, cnn_model *b)
{
    ck_assert_int_eq(cnn_model_layer_count(a), cnn_model_layer_count(b));
    for (int32_t i = 0; i < cnn_model_layer_count(a); i++) {
        char of_a[256], of_b[256];
        cnn_layer_describe(cnn_model_layer(a, i), of_a, sizeof of_a);
        cnn_layer_describe(cnn_model_layer(b, i), of_b, sizeof of_b);
        ck_assert_str_eq(of_a, of_b);
        ck_assert_str_eq(cnn_layer_name(cnn_model_layer(a, i)),
                         cnn_layer_name(cnn_model_layer(b, i)));
    }
    ck_assert_int_eq(cnn_model_class_count(a), cnn_model_class_count(b));
    for (int32_t i = 0; i < cnn_model_class_count(a); i++)
        ck_assert_str_eq(cnn_model_class_name(a, i), cnn_model_class_name(b, i));
    float of_a[6], of_b[6];
    EXPECT_OK(cnn_model_normalization(of_a, of_a + 3, a, 3));
    EXPECT_OK(cnn_model_normalization(of_b, of_b + 3, b, 3));
    ck_assert_mem_eq(of_a, of_b, sizeof of_a);
}

START_TEST(a_model_comes_back_to_the_bit)
{
    cnn_model *model = make_model(), *loaded;
    size_t size;
    char *bytes = save_bytes(model, &size);
    ck_assert_uint_eq(size % 4, 0);
    EXPECT_OK(load(&loaded, bytes, size));
    check_same_graph(model, loaded);
    check_same_parameters(model, loaded);
    check_same_predictions(model, loaded);
    check_same_file(loaded, bytes, size);
    cnn_model_free(loaded);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(a_file_comes_back_to_the_bit)
{
    cnn_model *model = make_model(), *loaded;
    const char *path = folder_path("model.cnn");
    EXPECT_OK(cnn_model_save(model, path));
    EXPECT_OK(cnn_model_save(model, path));
    EXPECT_OK(cnn_model_load(&loaded, context, path));
    check_same_parameters(model, loaded);
    cnn_model_free(loaded);
    cnn_model_free(model);
}
END_TEST

/* Not-a-numbers keep their bits, infinities and minus zero too. */
START_TEST(odd_values_come_back)
{
    static const uint32_t odd[] = {0x7FC12345, 0xFF800000, 0x80000000, 0x00000001};
    cnn_model *model = make_small_model(), *loaded;
    cnn_tensor *values = new_tensor((const int64_t[]){2, 2}, 2);
    size_t size;
    memcpy(cnn_tensor_data(values), odd, sizeof odd);
    EXPECT_OK(cnn_model_set_parameter(model, "dense1.weight", values));
    char *bytes = save_bytes(model, &size);
    EXPECT_OK(load(&loaded, bytes, size));
    check_same_parameters(model, loaded);
    cnn_tensor_free(values);
    cnn_model_free(loaded);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

/* A file of the first format, written by tests/python/make_model.c when there was no other: it must
 * load for ever, with the values that were put into it. */
START_TEST(the_first_format_is_read)
{
    struct file_bytes file = fixture_read("format1.cnn");
    cnn_model *model;
    EXPECT_OK(cnn_model_load_memory(&model, context, file.bytes, file.size));
    free(file.bytes);
    ck_assert_int_eq(cnn_model_layer_count(model), 11);
    ck_assert_int_eq(cnn_model_parameter_count(model), 7);
    ck_assert_str_eq(cnn_model_class_name(model, 3), "\"4\"");
    for (int32_t i = 0; i < cnn_model_parameter_count(model); i++) {
        const char *name = cnn_model_parameter_name(model, i);
        int64_t shape[CNN_MAX_RANK];
        int32_t rank;
        uint32_t seed = (uint32_t)i;
        EXPECT_OK(cnn_model_parameter_shape(shape, &rank, model, name));
        cnn_tensor *tensor = new_tensor(shape, rank);
        EXPECT_OK(cnn_model_get_parameter(model, name, tensor));
        const float *values = cnn_tensor_const_data(tensor);
        for (int64_t j = 0; j < cnn_tensor_count(tensor); j++) {
            seed = seed * 1664525 + 1013904223;
            ck_assert(values[j] == (float)(seed >> 8) / (float)(1 << 23) - 1);
        }
        cnn_tensor_free(tensor);
    }
    cnn_model_free(model);
}
END_TEST

START_TEST(a_model_without_layers_is_not_saved)
{
    cnn_model *model;
    cnn_tensor *bytes = NULL;
    EXPECT_OK(cnn_model_create(&model, context, (const int64_t[]){2}, 1));
    ck_assert_int_eq(cnn_model_save_memory(&bytes, model), CNN_ERROR_STATE);
    ck_assert_ptr_null(bytes);
    ck_assert_int_eq(cnn_model_save(model, folder_path("empty.cnn")), CNN_ERROR_STATE);
    ck_assert_int_ne(access(folder_path("empty.cnn"), F_OK), 0);
    cnn_model_free(model);
}
END_TEST

START_TEST(null_is_refused)
{
    cnn_model *model = make_small_model(), *loaded = model;
    cnn_tensor *bytes;
    ck_assert_int_eq(cnn_model_save(NULL, "x"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save(model, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_memory(&bytes, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_save_memory(NULL, model), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load(NULL, context, "x"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load(&loaded, NULL, "x"), CNN_ERROR_INVALID);
    ck_assert_ptr_null(loaded);
    ck_assert_int_eq(cnn_model_load(&loaded, context, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(NULL, context, "x", 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(&loaded, NULL, "x", 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_model_load_memory(&loaded, context, NULL, 1), CNN_ERROR_INVALID);
    cnn_model_free(model);
}
END_TEST

START_TEST(paths_that_lead_nowhere)
{
    cnn_model *model = make_small_model(), *loaded;
    ck_assert_int_eq(cnn_model_load(&loaded, context, folder_path("none")), CNN_ERROR_NOT_FOUND);
    ck_assert_int_eq(cnn_model_load(&loaded, context, folder_path(".")), CNN_ERROR_IO);
    ck_assert_int_eq(cnn_model_save(model, folder_path("none/model")), CNN_ERROR_IO);
    ck_assert_int_eq(cnn_model_save(model, folder_path(".")), CNN_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "cnn_model_save: \""));
    cnn_model_free(model);
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
    cnn_model *model = make_small_model(), *loaded;
    ck_assert_int_eq(cnn_model_save(model, folder_path("secret")), CNN_OK);
    cnn_model_free(model);
    ck_assert_int_eq(chmod(folder_path("."), 0755), 0);
    ck_assert_int_eq(chmod(folder_path("secret"), 0), 0);
    if (!become_ordinary_user())
        return;
    EXPECT_FAILS(cnn_model_load(&loaded, context, folder_path("secret")), CNN_ERROR_IO,
                 "cnn_model_load", "Permission denied");
    ck_assert_ptr_null(loaded);
}
END_TEST

/* ---- Damage -------------------------------------------------------------------------------- */

/* Refused as damaged, with a text of one line. */
static void check_refused(const char *bytes, size_t size, size_t place)
{
    cnn_model *model;
    cnn_status status = load(&model, bytes, size);
    ck_assert_msg(status == CNN_ERROR_FORMAT, "%zu: %s %s", place, cnn_status_name(status),
                  cnn_error_message());
    ck_assert_ptr_null(model);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "cnn_model_load_memory: bytes: "));
    ck_assert_ptr_null(strchr(cnn_error_message(), '\n'));
}

START_TEST(a_file_cut_short_is_refused)
{
    cnn_model *model = make_small_model();
    size_t size;
    char *bytes = save_bytes(model, &size);
    for (size_t cut = 0; cut < size; cut++)
        check_refused(bytes, cut, cut);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(a_flipped_bit_is_noticed)
{
    cnn_model *model = make_small_model();
    size_t size;
    char *bytes = save_bytes(model, &size);
    for (size_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (char)(1 << (i % 8));
        check_refused(bytes, size, i);
        bytes[i / 8] ^= (char)(1 << (i % 8));
    }
    cnn_model_free(model);
    free(bytes);
}
END_TEST

START_TEST(bytes_behind_the_end_are_refused)
{
    cnn_model *model = make_small_model();
    size_t size;
    char *bytes = save_bytes(model, &size);
    char *longer = calloc(1, size + 4);
    memcpy(longer, bytes, size);
    check_refused(longer, size + 1, 1);
    check_refused(longer, size + 4, 4);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "goes on behind its end"));
    cnn_model_free(model);
    free(longer);
    free(bytes);
}
END_TEST

/* ---- Hostile files with a right checksum --------------------------------------------------- */

/* A model file in two texts, [2] -> dense 2, whose six values are zeros. */
static const char graph_text[] =
    "{\"format\":1,\"library\":\"0.1.0\",\"input\":[1,2,1],\"mean\":[0.5],\"deviation\":[0.25],"
    "\"layers\":["
    "{\"kind\":\"maxpool2d\",\"name\":\"pool\",\"options\":{\"window_height\":1,\"window_width\":1,"
    "\"stride_height\":0,\"stride_width\":0,\"padding_height\":0,\"padding_width\":0},"
    "\"inputs\":[-1]},"
    "{\"kind\":\"flatten\",\"name\":\"flat\",\"options\":{},\"inputs\":[0]},"
    "{\"kind\":\"dense\",\"name\":\"last\",\"options\":{\"units\":2,\"bias\":1},\"inputs\":[1]}],"
    "\"classes\":[\"a\",\"b\"],\"crc32c\":[\"WWWWWWWW\",\"BBBBBBBB\"]}";

static const char header_text[] =
    "{\"__metadata__\":{\"cnn.header_crc32c\":\"HHHHHHHH\",\"cnn\":\"GRAPH\"},"
    "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
    "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";

enum { TEXT_ROOM = 1 << 20, VALUES_SIZE = 24 };

/* Puts `to` where `from` stands for the first time; false where it does not. */
static bool substitute(char *text, const char *from, const char *to)
{
    char *place = strstr(text, from);
    if (place == NULL)
        return false;
    memmove(place + strlen(to), place + strlen(from), strlen(place + strlen(from)) + 1);
    memcpy(place, to, strlen(to));
    return true;
}

static void put_crc(char *text, const char *mark, uint32_t crc)
{
    char digits[9];
    snprintf(digits, sizeof digits, "%08x", crc);
    while (substitute(text, mark, digits))
        continue;
}

/* Appends `graph` to `header` as a JSON string's inside. */
static void escape(char *escaped, const char *graph)
{
    for (; *graph != '\0'; graph++) {
        if (*graph == '"' || *graph == '\\')
            *escaped++ = '\\';
        *escaped++ = *graph;
    }
    *escaped = '\0';
}

/* Makes the file after putting `to` for `from` in the graph or else in the header; returns its
 * size. */
static size_t make_file(char *file, const char *from, const char *to)
{
    static char graph[TEXT_ROOM], header[TEXT_ROOM], escaped[TEXT_ROOM];
    static const char zeros[VALUES_SIZE];
    strcpy(graph, graph_text);
    strcpy(header, header_text);
    ck_assert_msg(substitute(graph, from, to) || substitute(header, from, to), "no %s", from);
    put_crc(graph, "WWWWWWWW", cnni_crc32c(0, zeros, 16));
    put_crc(graph, "BBBBBBBB", cnni_crc32c(0, zeros, 8));
    escape(escaped, graph);
    substitute(header, "GRAPH", escaped);
    char *crc = strstr(header, "HHHHHHHH");
    if (crc != NULL)
        memcpy(crc, "00000000", 8);
    uint64_t size = strlen(header);
    if (crc != NULL) {
        char digits[9];
        snprintf(digits, sizeof digits, "%08x", cnni_crc32c(0, header, size));
        memcpy(crc, digits, 8);
    }
    for (int32_t i = 0; i < 8; i++)
        file[i] = (char)(size >> (8 * i));
    memcpy(file + 8, header, size);
    memset(file + 8 + size, 0, VALUES_SIZE);
    return 8 + size + VALUES_SIZE;
}

static const struct {
    const char *from, *to;
    cnn_status status;
    const char *text; /* part of the message */
} hostile[] = {
    /* The metadata. */
    {"\"cnn.header_crc32c\":\"HHHHHHHH\",", "", CNN_ERROR_FORMAT, "not written by libcnn"},
    {"\"cnn.header_crc32c\":\"HHHHHHHH\",\"cnn\":\"GRAPH\"", "\"format\":\"pt\"", CNN_ERROR_FORMAT,
     "not written by libcnn"},
    {",\"cnn\":\"GRAPH\"", "", CNN_ERROR_FORMAT, "not written by libcnn"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"GRAPH\",\"cnn\":\"\"", CNN_ERROR_FORMAT, "second time"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":{}", CNN_ERROR_FORMAT, "expected a string"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"\"", CNN_ERROR_FORMAT, "expected an object"},
    {"\"cnn\":\"GRAPH\"", "\"cnn\":\"\\u0000\"", CNN_ERROR_FORMAT, "expected an object"},
    {"HHHHHHHH", "0000000", CNN_ERROR_FORMAT, "checksum"},
    {"HHHHHHHH", "zzzzzzzz", CNN_ERROR_FORMAT, "checksum"},
    {"\"__metadata__\":", "\"__metadata__\":{},\"__metadata__\":", CNN_ERROR_FORMAT, "second time"},
    /* The tensors. */
    {"\"F32\"", "\"F16\"", CNN_ERROR_FORMAT, "other than F32"},
    {"\"F32\"", "7", CNN_ERROR_FORMAT, "expected a string"},
    {"\"dtype\":\"F32\",", "", CNN_ERROR_FORMAT, "without a type"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"dtype\":\"F32\"", CNN_ERROR_FORMAT, "second time"},
    {"\"dtype\":\"F32\"", "\"dtype\":\"F32\",\"x\":1", CNN_ERROR_FORMAT, "unknown"},
    {"[2,2],", "[4],", CNN_ERROR_FORMAT, "tensor 0 is [4], layer \"last\" needs [2][2]"},
    {"[2,2],", "[2,2,1],", CNN_ERROR_FORMAT, "needs [2][2]"},
    {"[2,2],", "[],", CNN_ERROR_FORMAT, "without a type or shape"},
    {"[2,2],", "[-2,-2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[0,2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[2.0,2],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "[1,1,1,1,1,1,1,2,2],", CNN_ERROR_FORMAT, "a shape that is not"},
    {"[2,2],", "[4611686018427387904,4],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[4294967296,4294967296],", CNN_ERROR_FORMAT, "too large"},
    {"[2,2],", "[99999999999999999999,1],", CNN_ERROR_FORMAT, "expected an integer"},
    {"[2,2],", "null,", CNN_ERROR_FORMAT, "expected an array"},
    {"[0,16]", "[4,20]", CNN_ERROR_FORMAT, "gap"},
    {"[16,24]", "[20,28]", CNN_ERROR_FORMAT, "gap"},
    {"[16,24]", "[12,20]", CNN_ERROR_FORMAT, "overlap"},
    {"[16,24]", "[0,8]", CNN_ERROR_FORMAT, "overlap"},
    {"[16,24]", "[24,16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,20]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,24,32]", CNN_ERROR_FORMAT, "two offsets"},
    {"[16,24]", "[-9223372036854775808,24]", CNN_ERROR_FORMAT, "offsets"},
    {"[16,24]", "[16,9223372036854775807]", CNN_ERROR_FORMAT, "offsets"},
    {"[2],\"data_offsets\":[16,24]", "[4],\"data_offsets\":[16,32]", CNN_ERROR_FORMAT, "cut short"},
    {"[2],\"data_offsets\":[16,24]", "[1],\"data_offsets\":[16,20]", CNN_ERROR_FORMAT,
     "goes on behind its end"},
    {"\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]},"
     "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}",
     "\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]},"
     "\"last.weight\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
     CNN_ERROR_FORMAT, "gap"},
    {",\"last.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}", "",
     CNN_ERROR_FORMAT, "goes on behind its end"},
    {"\"last.bias\":", "\"last.weight\":", CNN_ERROR_FORMAT, "must be \"last.bias\""},
    {"\"last.weight\"", "\"last.weigh\\u0074\\n\"", CNN_ERROR_FORMAT, "named \"last.weight\\x0A\""},
    {"\"last.weight\"", "\"last.weight\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"last.weight\"", "\"\"", CNN_ERROR_FORMAT, "named \"\""},
    {"\"last.weight\":{", "\"x\":[],\"last.weight\":{", CNN_ERROR_FORMAT, "expected an object"},
    {"[2],\"data_offsets\":[16,24]}",
     "[1],\"data_offsets\":[16,20]},\"more\":"
     "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[20,24]}",
     CNN_ERROR_FORMAT, "tensor 1 is [1]"},
    /* The graph's head. */
    {"\"format\":1", "\"format\":2", CNN_ERROR_UNSUPPORTED, "newer version"},
    {"\"format\":1", "\"format\":9223372036854775807", CNN_ERROR_UNSUPPORTED, "newer version"},
    {"\"format\":1", "\"format\":0", CNN_ERROR_FORMAT, "below 1"},
    {"\"format\":1", "\"format\":-1", CNN_ERROR_FORMAT, "below 1"},
    {"\"format\":1", "\"format\":\"1\"", CNN_ERROR_FORMAT, "expected a number"},
    {"\"format\":1,", "", CNN_ERROR_FORMAT, "a member that is missing"},
    {"\"format\":1,", "\"format\":1,\"format\":1,", CNN_ERROR_FORMAT, "a member that is"},
    {"\"library\":\"0.1.0\",", "", CNN_ERROR_FORMAT, "a member that is missing"},
    {"\"input\":[1,2,1]", "\"input\":[]", CNN_ERROR_FORMAT, "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,0]", CNN_ERROR_FORMAT, "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,-2,1]", CNN_ERROR_FORMAT, "must be at least 1"},
    {"\"input\":[1,2,1]", "\"input\":[4294967296,4294967296,1]", CNN_ERROR_FORMAT,
     "more elements than memory can hold"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,1000000000000]", CNN_ERROR_FORMAT,
     "means than of channels"},
    {"\"input\":[1,2,1]", "\"input\":[1,1,1,1,1,1,1,1,1]", CNN_ERROR_FORMAT,
     "more than 8 dimensions"},
    {"\"input\":[1,2,1]", "\"input\":[1,2,1,1]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[0.5,0.5]", CNN_ERROR_FORMAT, "means than of channels"},
    {"[0.5]", "[1e300]", CNN_ERROR_FORMAT, "too large for a float"},
    {"[0.5]", "[1e400]", CNN_ERROR_FORMAT, "too large for a double"},
    {"[0.5]", "[NaN]", CNN_ERROR_FORMAT, "expected a number"},
    {"[0.5]", "[\"0.5\"]", CNN_ERROR_FORMAT, "expected a number"},
    {"[0.25]", "[0]", CNN_ERROR_FORMAT, "deviation"},
    {"[0.25]", "[-1]", CNN_ERROR_FORMAT, "deviation"},
    {"[0.25]", "[1,1]", CNN_ERROR_FORMAT, "deviations than of means"},
    /* The layers. */
    {"\"layers\":[", "\"layers\":[1,", CNN_ERROR_FORMAT, "expected an object"},
    {"\"layers\":[", "\"layers\":{", CNN_ERROR_FORMAT, "expected an array"},
    {"\"maxpool2d\"", "\"avgpool2d\"", CNN_ERROR_UNSUPPORTED, "kind \"avgpool2d\""},
    {"\"maxpool2d\"", "\"max\\npool2d\"", CNN_ERROR_UNSUPPORTED, "max\\x0Apool2d"},
    {"\"maxpool2d\"", "\"maxpool2d\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"maxpool2d\"", "\"relu\"", CNN_ERROR_FORMAT, "option"},
    {"\"name\":\"pool\"", "\"name\":\"flat\"", CNN_ERROR_FORMAT, "flat"},
    {"\"name\":\"pool\"", "\"name\":\"\"", CNN_ERROR_FORMAT, "name"},
    {"\"name\":\"pool\"", "\"name\":\"a\\u0001\"", CNN_ERROR_FORMAT, "a\\x01"},
    {"\"name\":\"pool\"", "\"name\":\"\xC3(\"", CNN_ERROR_FORMAT, "not UTF-8"},
    {"\"name\":\"pool\"", "\"name\":\"\\ud800\"", CNN_ERROR_FORMAT, "an escape"},
    {"\"window_height\":1", "\"window_height\":0", CNN_ERROR_FORMAT, "window_height is 0"},
    {"\"window_height\":1", "\"window_height\":1.5", CNN_ERROR_FORMAT, "expected an integer"},
    {"\"window_height\":1", "\"window_height\":9223372036854775807", CNN_ERROR_FORMAT,
     "window_height is 9"},
    {"\"window_height\":1", "\"window_height\":2", CNN_ERROR_FORMAT, "larger than"},
    {"\"window_height\":1", "\"window_height\":true", CNN_ERROR_FORMAT, "expected a number"},
    {"\"window_height\":1", "\"window_height\":1,\"window_height\":1", CNN_ERROR_FORMAT, "option"},
    {"\"window_height\":1", "\"window_depth\":1", CNN_ERROR_FORMAT, "option"},
    {"\"stride_height\":0", "\"stride_height\":-1", CNN_ERROR_FORMAT, "stride_height is -1"},
    {"\"padding_height\":0", "\"padding_height\":1", CNN_ERROR_FORMAT, "at most half"},
    {"\"inputs\":[-1]", "\"inputs\":[-2]", CNN_ERROR_FORMAT, "no layer before this one"},
    {"\"inputs\":[-1]", "\"inputs\":[0]", CNN_ERROR_FORMAT, "no layer before this one"},
    {"\"inputs\":[-1]", "\"inputs\":[2]", CNN_ERROR_FORMAT, "no layer before this one"},
    {"\"inputs\":[-1]", "\"inputs\":[4294967295]", CNN_ERROR_FORMAT, "no layer before"},
    {"\"inputs\":[-1]", "\"inputs\":[]", CNN_ERROR_FORMAT, "0 inputs"},
    {"\"inputs\":[-1]", "\"inputs\":[-1,-1]", CNN_ERROR_FORMAT, "2 inputs"},
    {"\"inputs\":[-1]", "\"inputs\":[-1],\"more\":1", CNN_ERROR_FORMAT, "unknown member"},
    {"\"inputs\":[0]},{", "\"inputs\":[-1]},{", CNN_OK, ""},
    {"\"inputs\":[1]", "\"inputs\":[0]", CNN_ERROR_FORMAT, "put a flatten before it"},
    {"\"units\":2", "\"units\":0", CNN_ERROR_FORMAT, "units is 0"},
    {"\"units\":2", "\"units\":3", CNN_ERROR_FORMAT, "needs [3][2]"},
    {"\"units\":2", "\"units\":16777216", CNN_ERROR_FORMAT, "needs [16777216][2]"},
    {"\"input\":[1,2,1]", "\"input\":[1,288230376151711744,1]", CNN_ERROR_FORMAT, "layer \"last\""},
    {"\"units\":2,\"bias\":1", "\"units\":2,\"bias\":0", CNN_ERROR_FORMAT,
     "has 2 tensors, but its layers need 1"},
    {"\"bias\":1", "\"bias\":2", CNN_ERROR_FORMAT, "bias is 2"},
    {",\"bias\":1", "", CNN_OK, ""}, /* an option that came later has its preset */
    /* Behind the layers. */
    {"\"a\",\"b\"", "\"a\",1", CNN_ERROR_FORMAT, "expected a string"},
    {"\"a\",\"b\"", "\"a\",\"\"", CNN_ERROR_FORMAT, "name 1"},
    {"\"a\",\"b\"", "\"a\",\"\\u0000\"", CNN_ERROR_FORMAT, "zero byte"},
    {"\"a\",\"b\"", "", CNN_OK, ""},
    {"WWWWWWWW", "00000000", CNN_ERROR_FORMAT, "tensor \"last.weight\""},
    {"\"WWWWWWWW\",", "", CNN_ERROR_FORMAT, "damaged"},
    {",\"BBBBBBBB\"", "", CNN_ERROR_FORMAT, "fewer checksums"},
    {"\"BBBBBBBB\"", "\"BBBBBBBB\",\"BBBBBBBB\"", CNN_ERROR_FORMAT, "more checksums"},
    {"\"BBBBBBBB\"", "0", CNN_ERROR_FORMAT, "expected a string"},
    {"\"BBBBBBBB\"]", "\"BBBBBBBB\"],\"more\":1", CNN_ERROR_FORMAT, "unknown member"},
    {"\"BBBBBBBB\"]}", "\"BBBBBBBB\"]}}", CNN_ERROR_FORMAT, "expected the end"},
};

START_TEST(a_hostile_file_is_refused)
{
    static char file[TEXT_ROOM];
    cnn_model *model;
    size_t size = make_file(file, hostile[_i].from, hostile[_i].to);
    cnn_status status = load(&model, file, size);
    ck_assert_msg(status == hostile[_i].status, "%s -> %s: %s %s", hostile[_i].from, hostile[_i].to,
                  cnn_status_name(status), status == CNN_OK ? "" : cnn_error_message());
    if (status != CNN_OK)
        ck_assert_msg(strstr(cnn_error_message(), hostile[_i].text) != NULL, "%s -> %s: %s",
                      hostile[_i].from, hostile[_i].to, cnn_error_message());
    cnn_model_free(model);
}
END_TEST

START_TEST(the_file_made_by_hand_is_good)
{
    static char file[TEXT_ROOM];
    cnn_model *model;
    EXPECT_OK(load(&model, file, make_file(file, "\"a\"", "\"\\u0061\"")));
    ck_assert_str_eq(cnn_model_class_name(model, 0), "a");
    cnn_model_free(model);
}
END_TEST

/* Shapes whose products do not fit into 64 bits, each reasonable by itself. */
START_TEST(sizes_do_not_wrap)
{
    static const struct {
        const char *input, *layer;
    } rows[] = {
        {"[1,288230376151711744,1]", "\"units\":16777216"},
        {"[576460752303423488,1,1]", "\"units\":16777216"},
        {"[1,1152921504606846975,1]", "\"units\":16"},
    };
    static char file[TEXT_ROOM];
    char graph[sizeof graph_text + 100];
    cnn_model *model;
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        strcpy(graph, graph_text);
        ck_assert(substitute(graph, "[1,2,1]", rows[i].input));
        ck_assert(substitute(graph, "\"units\":2", rows[i].layer));
        size_t size = make_file(file, graph_text, graph);
        ck_assert_int_eq(load(&model, file, size), CNN_ERROR_FORMAT);
        ck_assert_ptr_nonnull(strstr(cnn_error_message(), "more elements than memory can hold"));
    }
}
END_TEST

/* Lengths of the header that lie. */
START_TEST(a_wrong_length_is_refused)
{
    static const uint64_t lengths[] = {
        0, 1, 2, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32, UINT64_MAX - 7, INT64_MAX};
    static char file[TEXT_ROOM];
    size_t size = make_file(file, "\"a\"", "\"a\"");
    for (int32_t i = 0; i < CNNI_COUNT(lengths); i++) {
        for (int32_t j = 0; j < 8; j++)
            file[j] = (char)(lengths[i] >> (8 * j));
        check_refused(file, size, (size_t)i);
    }
}
END_TEST

START_TEST(files_of_other_programs_are_refused)
{
    static const char *const starts[] = {
        "",
        "\x89PNG\r\n\x1A\n0000",
        "PK\x03\x04________",
        "\xFF\xD8\xFF\xE0____________",
        "\x93NUMPY\x01________",
        "GGUF____________",
        "{\"a\":1}",
        "hello, world: no model here",
    };
    for (int32_t i = 0; i < CNNI_COUNT(starts); i++)
        check_refused(starts[i], strlen(starts[i]), (size_t)i);
}
END_TEST

/* A megabyte of brackets, of names, of tensors without size: refused before they cost anything. */
START_TEST(large_headers_are_cheap)
{
    static char file[TEXT_ROOM], layers[TEXT_ROOM / 2];
    cnn_model *model;
    size_t used = 0;
    memset(file, '[', sizeof file);
    memcpy(file, "\xF0\xFF\x0F\0\0\0\0\0{\"a\":", 13);
    ck_assert_int_eq(load(&model, file, sizeof file), CNN_ERROR_FORMAT);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "levels"));
    for (int32_t i = 0; i < 6000; i++)
        used += (size_t)snprintf(layers + used, sizeof layers - used,
                                 "{\"kind\":\"relu\",\"name\":\"r%d\",\"options\":{},"
                                 "\"inputs\":[%d]},",
                                 i, i - 1);
    strcat(layers, "{\"kind\":\"flatten\"");
    size_t size = make_file(file, "{\"kind\":\"flatten\"", layers);
    ck_assert_int_eq(load(&model, file, size), CNN_ERROR_LIMIT);
}
END_TEST

START_TEST(limits_hold)
{
    static const struct {
        cnn_limit limit;
        int64_t enough;
    } rows[] = {
        {CNN_LIMIT_TENSORS, 2},
        {CNN_LIMIT_LAYERS, 3},
        {CNN_LIMIT_CLASSES, 2},
    };
    static char file[TEXT_ROOM];
    cnn_model *model;
    size_t size = make_file(file, "\"a\"", "\"a\"");
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough - 1));
        ck_assert_int_eq(load(&model, file, size), CNN_ERROR_LIMIT);
        EXPECT_OK(cnn_context_set_limit(context, rows[i].limit, rows[i].enough));
        EXPECT_OK(load(&model, file, size));
        cnn_model_free(model);
    }
    int64_t header = (int64_t)(size - VALUES_SIZE - 8);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_HEADER_BYTES, header - 1));
    ck_assert_int_eq(load(&model, file, size), CNN_ERROR_LIMIT);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_HEADER_BYTES, header));
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, (int64_t)size - 1));
    ck_assert_int_eq(load(&model, file, size), CNN_ERROR_LIMIT);
    file_write(folder_path("large.cnn"), file, size);
    ck_assert_int_eq(cnn_model_load(&model, context, folder_path("large.cnn")), CNN_ERROR_LIMIT);
    EXPECT_OK(cnn_context_set_limit(context, CNN_LIMIT_MODEL_BYTES, (int64_t)size));
    EXPECT_OK(cnn_model_load(&model, context, folder_path("large.cnn")));
    cnn_model_free(model);
}
END_TEST

/* ---- Failures around ----------------------------------------------------------------------- */

/* Lets the next calls have `allowed` blocks, and then no more. */
static void allow_blocks(int64_t allowed)
{
    accounts.refuse_at = accounts.calls + allowed + 1;
}

/* Each allocation in turn is refused, and all after it. */
START_TEST(without_memory_nothing_is_left)
{
    cnn_model *model = make_model(), *loaded = NULL;
    cnn_tensor *saved = NULL;
    size_t size;
    char *bytes = save_bytes(model, &size);
    int64_t before = accounts.blocks, allowed = 0;
    for (allow_blocks(0); cnn_model_load_memory(&loaded, context, bytes, size) == CNN_ERROR_MEMORY;
         allow_blocks(++allowed)) {
        ck_assert_ptr_null(loaded);
        ck_assert_int_eq(accounts.blocks, before);
    }
    ck_assert_int_gt(allowed, 20);
    ck_assert_ptr_nonnull(loaded);
    cnn_model_free(loaded);
    for (allow_blocks(allowed = 0); cnn_model_save_memory(&saved, model) == CNN_ERROR_MEMORY;
         allow_blocks(++allowed)) {
        ck_assert_ptr_null(saved);
        ck_assert_int_eq(accounts.blocks, before);
    }
    ck_assert_int_gt(allowed, 10);
    ck_assert_ptr_nonnull(saved);
    accounts.refuse_at = 0;
    cnn_tensor_free(saved);
    cnn_model_free(model);
    free(bytes);
}
END_TEST

static ssize_t write_nothing(int file, const void *buffer, size_t size)
{
    (void)file;
    (void)buffer;
    (void)size;
    return 0;
}

/* The old model stays when the new one cannot be written. */
START_TEST(a_failed_save_leaves_the_old_model)
{
    struct cnni_file_calls failing = *cnni_file_system_calls();
    cnn_model *model = make_model(), *small = make_small_model(), *loaded;
    const char *path = folder_path("old.cnn");
    EXPECT_OK(cnn_model_save(model, path));
    failing.write = write_nothing;
    cnni_file_set_calls(&failing);
    ck_assert_int_eq(cnn_model_save(small, path), CNN_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(cnn_error_message(), "old.cnn\": No space left on device"));
    cnni_file_set_calls(NULL);
    EXPECT_OK(cnn_model_load(&loaded, context, path));
    check_same_parameters(model, loaded);
    cnn_model_free(loaded);
    cnn_model_free(small);
    cnn_model_free(model);
}
END_TEST

static Suite *model_file_suite(void)
{
    Suite *suite = suite_create("model_file");
    TCase *tcase = tcase_create("round trips");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_model_comes_back_to_the_bit);
    tcase_add_test(tcase, a_file_comes_back_to_the_bit);
    tcase_add_test(tcase, odd_values_come_back);
    tcase_add_test(tcase, the_first_format_is_read);
    tcase_add_test(tcase, a_model_without_layers_is_not_saved);
    tcase_add_test(tcase, null_is_refused);
    tcase_add_test(tcase, paths_that_lead_nowhere);
    tcase_add_test(tcase, a_file_that_cannot_be_read);
    tcase_add_test(tcase, without_memory_nothing_is_left);
    tcase_add_test(tcase, a_failed_save_leaves_the_old_model);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("damage");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 20);
    tcase_add_test(tcase, a_file_cut_short_is_refused);
    tcase_add_test(tcase, a_flipped_bit_is_noticed);
    tcase_add_test(tcase, bytes_behind_the_end_are_refused);
    tcase_add_test(tcase, the_file_made_by_hand_is_good);
    tcase_add_loop_test(tcase, a_hostile_file_is_refused, 0, CNNI_COUNT(hostile));
    tcase_add_test(tcase, sizes_do_not_wrap);
    tcase_add_test(tcase, a_wrong_length_is_refused);
    tcase_add_test(tcase, files_of_other_programs_are_refused);
    tcase_add_test(tcase, large_headers_are_cheap);
    tcase_add_test(tcase, limits_hold);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(model_file_suite());
}
