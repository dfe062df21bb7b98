/* SPDX-License-Identifier: MIT
 * torchvision's weights in the networks of examples/networks, and back: files that are made from
 * the lists of fixtures/make_torchvision_lists.py, with the values that PyTorch had for what it
 * answers (support/given.h).  With PyTorch itself: python/check_torch_weights.py. */
#include "networks/networks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/fixtures.h"
#include "support/given.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/tensors.h"
#include "support/torch.h"
#include "support/weights_files.h"

static const struct network {
    const char *name;
    cnn_status (*build)(cnn_model *model, cnn_context *context, int64_t classes);
    const char *head;             /* what the names of the last layer begin with */
    int32_t parameters, counters; /* in the file */
    double answers;               /* as in test_networks_torch.c */
} networks[] = {
    {"resnet18", network_resnet18, "fc.", 102, 20, 2e-5},
    {"mobilenet_v2", network_mobilenet_v2, "classifier.1.", 262, 52, 1e-4},
};
enum { NETWORKS = sizeof networks / sizeof networks[0] };

static cnn_context *context;
static cnn_weights *weights;

static void set_up(void)
{
    EXPECT_OK(cnn_context_create(&context));
    EXPECT_OK(cnn_weights_create(&weights, context));
}

static void tear_down(void)
{
    cnn_weights_free(weights);
    cnn_context_free(context);
}

static cnn_model *make_model(const struct network *network, int64_t classes)
{
    cnn_model *model = model_new(context, (const int64_t[]){GIVEN_SIZE, GIVEN_SIZE, 3}, 3);
    EXPECT_OK(network->build(model, context, classes));
    return model;
}

/* ---- Lists --------------------------------------------------------------------------------- */

enum { MOST_TENSORS = 400, MOST_TEXT = 65536 };

/* A line of a list, and where its values are among all. */
struct line {
    char name[64], dtype[4], shape[32];
    size_t begin, end;
};

/* A file of weights in parts. */
struct contents {
    struct line lines[MOST_TENSORS];
    int32_t count;
    char header[MOST_TEXT];
    char *values;
    size_t size; /* of the values */
};

/* The dimensions of "[64,3,7,7]"; returns how many there are. */
static int32_t read_shape(int64_t dims[CNN_MAX_RANK], const char *text)
{
    int32_t rank = 0;
    char *end = (char *)text + 1;
    while (*end != ']') {
        ck_assert_int_lt(rank, CNN_MAX_RANK);
        dims[rank++] = strtoll(end, &end, 10);
        end += *end == ',';
    }
    return rank;
}

static void add_values(struct contents *contents, const void *values, size_t size)
{
    contents->values = realloc(contents->values, contents->size + size);
    memcpy(contents->values + contents->size, values, size);
    contents->size += size;
}

/* What PyTorch had; a counter has counted 1000 batches. */
static void add_given(struct contents *contents, const struct line *line)
{
    int64_t dims[CNN_MAX_RANK];
    const int64_t counted = 1000;
    const int32_t rank = read_shape(dims, line->shape);
    if (strcmp(line->dtype, "I64") == 0) {
        ck_assert_int_eq(rank, 0);
        add_values(contents, &counted, sizeof counted);
        return;
    }
    ck_assert_str_eq(line->dtype, "F32");
    cnn_tensor *values = tensor_new(context, CNN_FLOAT32, dims, rank);
    given_fill(values, line->name);
    add_values(contents, floats(values), cnn_tensor_bytes(values));
    cnn_tensor_free(values);
}

/* A tensor with its values; what is only a counter where `counters` are wanted. */
static void add_line(struct contents *contents, const char *text, int counters)
{
    struct line *line = &contents->lines[contents->count];
    ck_assert_int_lt(contents->count, MOST_TENSORS);
    ck_assert_int_eq(sscanf(text, "%63s %3s %31s", line->name, line->dtype, line->shape), 3);
    if (strcmp(line->dtype, "I64") == 0 && !counters)
        return;
    line->begin = contents->size;
    add_given(contents, line);
    line->end = contents->size;
    contents->count++;
}

static void write_header(struct contents *contents, const char *beginning)
{
    int length = snprintf(contents->header, MOST_TEXT, "%s", beginning);
    for (int32_t i = 0; i < contents->count; i++) {
        const struct line *line = &contents->lines[i];
        length += snprintf(contents->header + length, (size_t)(MOST_TEXT - length),
                           "%s\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
                           i > 0 ? "," : "", line->name, line->dtype, line->shape, line->begin,
                           line->end);
    }
    length += snprintf(contents->header + length, (size_t)(MOST_TEXT - length), "}");
    ck_assert_int_lt(length, MOST_TEXT - 8);
    for (; length % 8 != 0; length++)
        strcpy(contents->header + length, " ");
}

/* What a file of torchvision's network is to have.  Its parts are freed by free_contents(). */
static struct contents *read_list(const char *network, const char *beginning, int counters)
{
    char path[64];
    snprintf(path, sizeof path, "weights/%s.txt", network);
    struct contents *contents = calloc(1, sizeof *contents);
    struct file_bytes file = fixture_read(path);
    file.bytes[file.size] = '\0'; /* there is room for it */
    for (char *line = strtok((char *)file.bytes, "\n"); line != NULL; line = strtok(NULL, "\n"))
        add_line(contents, line, counters);
    write_header(contents, beginning);
    free(file.bytes);
    return contents;
}

static void free_contents(struct contents *contents)
{
    free(contents->values);
    free(contents);
}

/* ---- From torchvision ---------------------------------------------------------------------- */

/* Loads what safetensors.torch.save_file(network.state_dict(), ...) writes. */
static cnn_status load(cnn_model *model, const struct network *network)
{
    struct contents *theirs = read_list(network->name, "{", 1);
    cnn_status status =
        weights_load_made(model, theirs->header, theirs->values, theirs->size, weights);
    free_contents(theirs);
    return status;
}

START_TEST(weights_fit_without_rules)
{
    const struct network *network = &networks[_i];
    cnn_model *model = make_model(network, GIVEN_CLASSES);
    EXPECT_OK(load(model, network));
    expect_outcomes(weights, 0, 0, 0, network->counters, 0, network->parameters);
    torch_open("networks");
    cnn_tensor *pictures = given_pictures(context, network->name, GIVEN_SIZE);
    cnn_tensor *answers = given_predict(model, context, pictures);
    expect_given_answers(network->name, "predicted", answers, network->answers);
    cnn_tensor_free(answers);
    cnn_tensor_free(pictures);
    cnn_model_free(model);
}
END_TEST

START_TEST(a_head_of_other_classes_is_kept)
{
    const struct network *network = &networks[_i];
    cnn_model *model = make_model(network, GIVEN_CLASSES + 2);
    const uint64_t hash = model_hash(model, context);
    EXPECT_FAILS(load(model, network), CNN_ERROR_SHAPE, "cnn_model_load_weights_memory",
                 network->head);
    expect_outcomes(weights, 0, 0, 2, network->counters, 0, network->parameters - 2);
    ck_assert_uint_eq(model_hash(model, context), hash);
    EXPECT_OK(cnn_weights_skip(weights, network->head));
    EXPECT_OK(load(model, network));
    expect_outcomes(weights, 0, 0, 0, network->counters + 2, 2, network->parameters - 2);
    cnn_model_free(model);
}
END_TEST

/* ---- To torchvision ------------------------------------------------------------------------ */

/* Where two texts part, with some of what is there. */
static void expect_header(const char *got, const char *wanted)
{
    size_t at = 0;
    while (wanted[at] != '\0' && got[at] == wanted[at])
        at++;
    ck_assert_msg(wanted[at] == '\0', "the header has \"%.80s\", must have \"%.80s\"", got + at,
                  wanted + at);
}

static void expect_file(const cnn_tensor *saved, const struct contents *wanted)
{
    const char *bytes = cnn_tensor_const_data(saved);
    const size_t length = strlen(wanted->header);
    ck_assert_uint_eq(cnn_tensor_bytes(saved), 8 + length + wanted->size);
    expect_header(bytes + 8, wanted->header);
    for (int32_t i = 0; i < 8; i++)
        ck_assert_int_eq((unsigned char)bytes[i], (int)((uint64_t)length >> (8 * i) & 255));
    for (int32_t i = 0; i < wanted->count; i++) {
        const struct line *line = &wanted->lines[i];
        ck_assert_msg(memcmp(bytes + 8 + length + line->begin, wanted->values + line->begin,
                             line->end - line->begin) == 0,
                      "%s has other bytes", line->name);
    }
}

/* Names, types, shapes and values of torchvision, in its order, but for counters: the only ones
 * that load_state_dict() with strict=True does without. */
START_TEST(saved_files_have_what_torchvision_wants)
{
    const struct network *network = &networks[_i];
    cnn_model *model = make_model(network, GIVEN_CLASSES);
    cnn_tensor *saved;
    EXPECT_OK(load(model, network));
    EXPECT_OK(cnn_model_save_weights_memory(&saved, model, weights));
    struct contents *wanted = read_list(network->name, "{\"__metadata__\":{\"format\":\"pt\"},", 0);
    ck_assert_int_eq(wanted->count, network->parameters);
    expect_file(saved, wanted);
    free_contents(wanted);
    cnn_tensor_free(saved);
    cnn_model_free(model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights_networks");
    TCase *tests = tcase_create("weights_networks");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, weights_fit_without_rules, 0, NETWORKS);
    tcase_add_loop_test(tests, a_head_of_other_classes_is_kept, 0, NETWORKS);
    tcase_add_loop_test(tests, saved_files_have_what_torchvision_wants, 0, NETWORKS);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
