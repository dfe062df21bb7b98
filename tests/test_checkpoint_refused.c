/* SPDX-License-Identifier: MIT
 * Checkpoints that are not resumed: damaged ones, and such as were made to do harm.  The text names
 * what is wrong, and nothing has changed.  Those of other trainings: test_checkpoint_others.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "model/model_internal.h"
#include "support/expect.h"
#include "support/folders.h"
#include "support/networks.h"
#include "support/suite.h"
#include "support/trainings.h"

static const struct training_options usual = {.threads = 1};

/* In the middle of the second epoch; kept as bytes, too. */
enum { MOST_BYTES = 1 << 20 };
static char good[MOST_BYTES];
static size_t good_size;

static size_t read_bytes(const char *path, char *bytes)
{
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    const size_t size = fread(bytes, 1, MOST_BYTES, file);
    fclose(file);
    return size;
}

static void set_up_program(void)
{
    static struct training training;
    folder_set_up();
    training_open(&training, &usual);
    training.stop_at = TRAINING_MOMENTS + 2;
    EXPECT_OK(cnn_trainer_set_checkpoint(training.trainer, folder_path("good.ckpt"), 0));
    ck_assert_int_eq(training_fit(&training), CNN_ERROR_CANCELLED);
    training_close(&training);
    good_size = read_bytes(folder_path("good.ckpt"), good);
}

/* After a refusal the trainer goes on as if nobody had asked. */
START_TEST(a_refusal_leaves_no_trace)
{
    struct training training, wanted;
    training_open(&wanted, &usual);
    EXPECT_OK(training_fit(&wanted));
    training_open(&training, &usual);
    file_write(folder_path("cut.ckpt"), good, good_size - 1);
    ck_assert_int_eq(cnn_trainer_resume(training.trainer, training.loader, folder_path("cut.ckpt")),
                     CNN_ERROR_FORMAT);
    EXPECT_OK(training_fit(&training));
    expect_same_moments(&training, &wanted, 0);
    ck_assert_uint_eq(training_hash(&training), training_hash(&wanted));
    training_close(&training);
    training_close(&wanted);
}
END_TEST

/* ---- Damage -------------------------------------------------------------------------------- */

START_TEST(files_that_are_none)
{
    struct training training;
    training_open(&training, &usual);
    EXPECT_OK(cnn_model_save(training.model, folder_path("model.cnn")));
    folder_make(folder_path("folder"));
    expect_resume_refused(&training, folder_path("nothing"), CNN_ERROR_NOT_FOUND,
                          "nothing\": No such");
    expect_resume_refused(&training, folder_path("folder"), CNN_ERROR_IO, "folder");
    expect_resume_refused(&training, folder_path("model.cnn"), CNN_ERROR_FORMAT,
                          "is a model file, but no checkpoint of a training");
    EXPECT_OK(cnn_context_set_limit(training.context, CNN_LIMIT_MODEL_BYTES, 1000));
    expect_resume_refused(&training, folder_path("good.ckpt"), CNN_ERROR_LIMIT, "1000");
    training_close(&training);
}
END_TEST

static void refuse_bytes(struct training *training, const char *bytes, size_t size)
{
    const char *path = folder_path("bytes.ckpt");
    unlink(path); /* a file that is cut and written again would wait for the disk */
    file_write(path, bytes, size);
    const cnn_status status = cnn_trainer_resume(training->trainer, training->loader, path);
    ck_assert_msg(status == CNN_ERROR_FORMAT, "%s: %s", cnn_status_name(status),
                  cnn_error_message());
}

START_TEST(every_cut_and_every_flip_is_noticed)
{
    static char bytes[MOST_BYTES];
    struct training training;
    training_open(&training, &usual);
    const uint64_t hash = training_hash(&training);
    const int64_t blocks = training.accounts.blocks;
    for (size_t cut = 0; cut < good_size; cut += 3)
        refuse_bytes(&training, good, cut);
    memcpy(bytes, good, good_size);
    for (size_t i = 0; i < good_size; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        refuse_bytes(&training, bytes, good_size);
        bytes[i] = good[i];
    }
    ck_assert_uint_eq(training_hash(&training), hash);
    ck_assert_int_eq(cnn_optimizer_steps(training.optimizer), 0);
    ck_assert_int_eq(training.accounts.blocks, blocks);
    training_close(&training);
}
END_TEST

/* ---- Harm ---------------------------------------------------------------------------------- */

/* Copies `text` as the inside of a JSON string. */
static void escape(char *escaped, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *escaped++ = '\\';
        *escaped++ = *text;
    }
    *escaped = '\0';
}

static void put_crc(char *header, size_t size)
{
    static const char name[] = "\"cnn.header_crc32c\":\"";
    char digits[9], *place = strstr(header, name) + sizeof name - 1;
    memcpy(place, "00000000", 8);
    snprintf(digits, sizeof digits, "%08x", cnni_crc32c(0, header, size));
    memcpy(place, digits, 8);
}

/* Writes the good file with `to` for the first `from` behind `behind`, and with right checksums. */
static const char *forge(const char *behind, const char *from, const char *to)
{
    static char header[MOST_BYTES], file[MOST_BYTES];
    uint64_t length = 0;
    for (int32_t i = 7; i >= 0; i--)
        length = length << 8 | (unsigned char)good[i];
    memcpy(header, good + 8, length);
    header[length] = '\0';
    char *place = strstr(strstr(header, behind), from);
    ck_assert_msg(place != NULL, "no %s", from);
    memmove(place + strlen(to), place + strlen(from), strlen(place + strlen(from)) + 1);
    memcpy(place, to, strlen(to));
    const size_t size = strlen(header);
    put_crc(header, size);
    for (int32_t i = 0; i < 8; i++)
        file[i] = (char)((uint64_t)size >> (8 * i));
    memcpy(file + 8, header, size);
    memcpy(file + 8 + size, good + 8 + length, good_size - 8 - length);
    file_write(folder_path("forged.ckpt"), file, good_size + size - length);
    return folder_path("forged.ckpt");
}

/* In the text "cnn.checkpoint": one of its numbers, with what it is replaced by, or any text. */
static const struct {
    const char *from, *to;
    cnn_status status;
    const char *text;
} forgeries[] = {
    {"\"format\":1", "\"format\":2", CNN_ERROR_UNSUPPORTED, "of format 2, from a newer version"},
    {"\"format\":1", "\"format\":0", CNN_ERROR_FORMAT, "a format below 1"},
    {"\"format\":1", "\"form\":1", CNN_ERROR_FORMAT, "not in its place"},
    {"{\"format\":1", "[1", CNN_ERROR_FORMAT, "expected an object"},
    {"\"library\":", "\"x\":", CNN_ERROR_FORMAT, "not in its place"},
    {"\"note\":\"\"", "\"note\":7", CNN_ERROR_FORMAT, "expected a string"},
    {"\"note\":\"\"", "\"note\":\"\\u0000\"", CNN_ERROR_FORMAT, "a zero byte"},
    {"\"note\":\"\",", "", CNN_ERROR_FORMAT, "not in its place"},
    {"\"settings\":{", "\"settings\":{},\"x\":{", CNN_ERROR_INVALID,
     "trainer is missing in it, {\"loss\""},
    {"\"settings\":{", "\"settings\":[],\"x\":{", CNN_ERROR_INVALID, "all of it is [] in it"},
    {"\"settings\":{", "\"settings\":{\"x\":1,", CNN_ERROR_INVALID, "trainer is missing"},
    {"\"cutmix\":0", "\"cutmix\":0,\"x\":[1,2]", CNN_ERROR_INVALID,
     "loader.x is [1,2] in it, missing here"},
    {"\"warmup\":2", "\"warmup\":2,", CNN_ERROR_FORMAT, "checkpoint, byte"},
    {"\"softmax_cross_entropy\"", "7", CNN_ERROR_INVALID, "trainer.loss is 7 in it"},
    {"\"numbers\":", "\"number\":", CNN_ERROR_FORMAT, "not in its place"},
    {"\"place.batch\":2", "\"place.batch\":4", CNN_ERROR_FORMAT,
     "place.batch is 4, must be 0 to 3"},
    {"\"place.batch\":2", "\"place.batch\":-1", CNN_ERROR_FORMAT, "place.batch is -1"},
    {"\"place.batch\":2", "\"place.batch\":2.0", CNN_ERROR_FORMAT, "expected an integer"},
    {"\"place.batch\":2", "\"place.batch\":\"2\"", CNN_ERROR_FORMAT, "expected a number"},
    {"\"place.batch\":2", "\"place.batch\":99999999999999999999", CNN_ERROR_FORMAT,
     "expected an integer"},
    {"\"place.epoch\":2", "\"place.epoch\":0", CNN_ERROR_FORMAT, "place.epoch is 0"},
    {"\"place.epoch\":2", "\"place.epoch\":9223372036854775807", CNN_ERROR_FORMAT, "place.epoch"},
    {"\"place.loader_epoch\":1", "\"place.loader_epoch\":-1", CNN_ERROR_FORMAT, "loader_epoch"},
    {"\"place.loader_epoch\":1", "\"place.loader_epoch\":72057594037927936", CNN_ERROR_FORMAT,
     "place.loader_epoch is 7"},
    {"\"place.step\":2", "\"place.step\":4", CNN_ERROR_FORMAT, "place.step is 4"},
    {"\"place.samples\":8", "\"place.samples\":11", CNN_ERROR_FORMAT, "must be 0 to 10"},
    {"\"place.right\":", "\"place.right\":-", CNN_ERROR_FORMAT, "place.right is -"},
    {"\"place.rate\":", "\"place.rate\":-", CNN_ERROR_FORMAT, "place.rate is -"},
    {"\"place.loss\":", "\"place.loss\":\"x\",\"y\":", CNN_ERROR_FORMAT, "expected a number"},
    {"\"place.loss\":", "\"place.loss\":null,\"y\":", CNN_ERROR_FORMAT, "expected a number"},
    {"\"place.loss\":", "\"place.loss\":1e999,\"y\":", CNN_ERROR_FORMAT, "too large"},
    {"\"trainer.passes\":5", "\"trainer.passes\":-5", CNN_ERROR_FORMAT, "trainer.passes is -5"},
    {"\"trainer.passes\":5,", "", CNN_ERROR_FORMAT, "unknown or not in its place"},
    {"\"layer0.stream\":0", "\"layer0.stream\":-1", CNN_ERROR_FORMAT, "layer0.stream is -1"},
    {"\"optimizer.steps\":5", "\"optimizer.steps\":-5", CNN_ERROR_FORMAT, "optimizer.steps is -5"},
    {"\"optimizer.learning_rate\":0.01", "\"optimizer.learning_rate\":\"nan\"", CNN_ERROR_FORMAT,
     "optimizer.learning_rate is nan"},
    {"\"optimizer.learning_rate\":0.01", "\"optimizer.learning_rate\":\"inf\"", CNN_ERROR_FORMAT,
     "optimizer.learning_rate is inf"},
    {"\"optimizer.clip_norm\":0.5", "\"optimizer.clip_norm\":-0.5", CNN_ERROR_FORMAT, "clip_norm"},
    {",\"average.used\":0", "", CNN_ERROR_FORMAT, "a number that is missing"},
    {"\"average.used\":0", "\"average.used\":0,\"x\":1", CNN_ERROR_FORMAT,
     "unknown or not in its place"},
    {"\"average.used\":0}", "\"average.used\":0},\"x\":1", CNN_ERROR_FORMAT, "an unknown member"},
    {"\"average.used\":0}}", "\"average.used\":0}}}", CNN_ERROR_FORMAT, "expected the end"},
};

START_TEST(harmful_texts_are_refused)
{
    char from[256], to[256];
    struct training training;
    training_open(&training, &usual);
    escape(from, forgeries[_i].from);
    escape(to, forgeries[_i].to);
    expect_resume_refused(&training, forge("\"cnn.checkpoint\"", from, to), forgeries[_i].status,
                          forgeries[_i].text);
    training_close(&training);
}
END_TEST

/* In the tensors and the graph. */
static const struct {
    const char *behind, *from, *to, *text;
    cnn_status status;
} files[] = {
    {"\"__metadata__\"", "\"cnn.checkpoint\"", "\"cnn.check\"", "no checkpoint", CNN_ERROR_FORMAT},
    {"\"__metadata__\"", "\"cnn.checkpoint\":\"", "\"cnn.checkpoint\":\"\",\"cnn.checkpoint\":\"",
     "second time", CNN_ERROR_FORMAT},
    {"average1\"", "bias/optimizer.average1", "bias/optimizer.average9", "must be \"conv2d1.bias/",
     CNN_ERROR_FORMAT},
    {"\"conv2d1.bias/optimizer.average1\"", "\"shape\":[4]", "\"shape\":[2,2]",
     "average1\" [2][2], must be", CNN_ERROR_FORMAT},
    {"\"cnn\":", "\\\"crc32c\\\":[", "\\\"crc32c\\\":[\\\"00000000\\\",", "is damaged",
     CNN_ERROR_FORMAT},
    {"\"cnn\":", "\\\"crc32c\\\":[", "\\\"crc32c\\\":[],\\\"x\\\":[", "an unknown member",
     CNN_ERROR_FORMAT},
    {"\"cnn\":", "\\\"crc32c\\\":[", "\\\"crc32c\\\":7,\\\"x\\\":[", "an unknown member",
     CNN_ERROR_FORMAT},
    {"\"cnn\":", "\\\"units\\\":3", "\\\"units\\\":4", "layers[5].options.units is 4 in it, 3 here",
     CNN_ERROR_INVALID},
    {"\"cnn\":", "\\\"input\\\":", "\\\"inputs\\\":", "not in its place", CNN_ERROR_FORMAT},
    {"\"cnn\":", "\\\"format\\\":1", "\\\"format\\\":2", "format is 2 in it, 1 here",
     CNN_ERROR_INVALID},
};

START_TEST(harmful_files_are_refused)
{
    struct training training;
    training_open(&training, &usual);
    expect_resume_refused(&training, forge(files[_i].behind, files[_i].from, files[_i].to),
                          files[_i].status, files[_i].text);
    training_close(&training);
}
END_TEST

/* The version of the library may be another. */
START_TEST(another_version_may_have_written_it)
{
    struct training training;
    training_open(&training, &usual);
    EXPECT_OK(cnn_trainer_resume(
        training.trainer, training.loader,
        forge("\"cnn.checkpoint\"", "library\\\":\\\"0.1.0", "library\\\":\\\"0.0.9")));
    EXPECT_OK(cnn_trainer_resume(training.trainer, training.loader,
                                 forge("\"cnn\":", "library\\\":\\\"0.1.0", "library\\\":\\\"1")));
    training_close(&training);
}
END_TEST

static Suite *checkpoint_refused_suite(void)
{
    Suite *suite = suite_create("checkpoint_refused");
    TCase *tcase = tcase_create("checkpoint_refused");
    tcase_add_unchecked_fixture(tcase, set_up_program, folder_tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_refusal_leaves_no_trace);
    tcase_add_test(tcase, files_that_are_none);
    tcase_add_test(tcase, every_cut_and_every_flip_is_noticed);
    tcase_add_loop_test(tcase, harmful_texts_are_refused, 0, CNNI_COUNT(forgeries));
    tcase_add_loop_test(tcase, harmful_files_are_refused, 0, CNNI_COUNT(files));
    tcase_add_test(tcase, another_version_may_have_written_it);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(checkpoint_refused_suite());
}
