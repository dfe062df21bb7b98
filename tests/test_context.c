/* SPDX-License-Identifier: MIT
 * The context: creation and CNN_CPU, every setter with its documented errors, limits, log, seed,
 * names. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/context_internal.h"
#include "base/error.h"
#include "base/processors.h"
#include "base/parallel.h"
#include "cnn/version.h"
#include "support/folders.h"
#include "support/suite.h"

static cnn_context *context;

static void set_up(void)
{
    ck_assert_int_eq(cnn_context_create_isolated(&context), CNN_OK);
}

static void tear_down(void)
{
    cnn_context_free(context);
}

/* The text of the newest failure has `part`. */
static void check_message(const char *part)
{
    ck_assert_msg(strstr(cnn_error_message(), part) != NULL, "\"%s\" does not have \"%s\"",
                  cnn_error_message(), part);
}

/* ---- Creation ---- */

START_TEST(creation_reads_cnn_cpu)
{
    cnn_context *made;
    unsetenv("CNN_CPU");
    ck_assert_int_eq(cnn_context_create(&made), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(made), cnni_cpu_name(cnni_cpu_best()));
    cnn_context_free(made);
    setenv("CNN_CPU", "generic", 1);
    ck_assert_int_eq(cnn_context_create(&made), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(made), "generic");
    cnn_context_free(made);
    setenv("CNN_CPU", "auto", 1);
    ck_assert_int_eq(cnn_context_create(&made), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(made), cnni_cpu_name(cnni_cpu_best()));
    cnn_context_free(made);
}
END_TEST

START_TEST(creation_refuses_a_bad_cnn_cpu)
{
    cnn_context *made = context;
    setenv("CNN_CPU", "avx9\n", 1);
    ck_assert_int_eq(cnn_context_create(&made), CNN_ERROR_INVALID);
    ck_assert_ptr_null(made);
    check_message("CNN_CPU is \"avx9\\x0A\", must be generic,");
    /* No machine has both. */
    made = context;
    setenv("CNN_CPU", cnni_cpu_has(CNNI_NEON) ? "avx2" : "neon", 1);
    ck_assert_int_eq(cnn_context_create(&made), CNN_ERROR_UNSUPPORTED);
    ck_assert_ptr_null(made);
    check_message(cnni_cpu_name(cnni_cpu_best()));
}
END_TEST

START_TEST(isolated_creation_reads_no_environment)
{
    cnn_context *made;
    setenv("CNN_CPU", "nonsense", 1);
    ck_assert_int_eq(cnn_context_create_isolated(&made), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(made), cnni_cpu_name(cnni_cpu_best()));
    cnn_context_free(made);
}
END_TEST

START_TEST(null_is_refused_everywhere)
{
    char text[8] = "z";
    ck_assert_int_eq(cnn_context_create(NULL), CNN_ERROR_INVALID);
    check_message("cnn_context_create: context is NULL");
    ck_assert_int_eq(cnn_context_create_isolated(NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_threads(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_threads(NULL), 0);
    ck_assert_int_eq(cnn_context_set_parallel_for(NULL, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_cpu(NULL, "auto"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_cpu(context, NULL), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_context_cpu_name(NULL), "");
    ck_assert_int_eq(cnn_context_set_seed(NULL, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_allocator(NULL, NULL, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_log(NULL, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_limit(NULL, CNN_LIMIT_LAYERS, 1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_limit(NULL, CNN_LIMIT_LAYERS), 0);
    cnn_context_error(NULL, text, sizeof text);
    ck_assert_str_eq(text, "");
    cnn_context_free(NULL);
}
END_TEST

/* ---- Setters ---- */

START_TEST(threads_are_1_to_256)
{
    ck_assert_int_ge(cnn_context_threads(context), 1);
    static const int32_t good[] = {1, 2, 7, 256}, bad[] = {0, -1, 257, INT32_MIN, INT32_MAX};
    for (int32_t i = 0; i < CNNI_COUNT(good); i++) {
        ck_assert_int_eq(cnn_context_set_threads(context, good[i]), CNN_OK);
        ck_assert_int_eq(cnn_context_threads(context), good[i]);
    }
    for (int32_t i = 0; i < CNNI_COUNT(bad); i++) {
        ck_assert_int_eq(cnn_context_set_threads(context, bad[i]), CNN_ERROR_INVALID);
        ck_assert_int_eq(cnn_context_threads(context), 256);
    }
    check_message("2147483647, must be 1 to 256");
}
END_TEST

/* Files of a system below the temporary folder. */
static void write_text(const char *path, const char *text)
{
    char folder[256];
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path);
        mkdir(folder_path("%s", folder), 0777);
    }
    file_write(folder_path("%s", path), text, strlen(text));
}

static const struct {
    struct {
        const char *path, *text;
    } files[5];
    int32_t quota;
} quotas[] = {
    {{{"proc/self/cgroup", "0::/\n"}}, INT32_MAX},
    {{{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "max 100000\n"}}, INT32_MAX},
    {{{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200000 100000\n"}}, 2},
    {{{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "200001 100000\n"}}, 3},
    {{{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "1000 100000\n"}}, 1},
    {{{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", "99999999999999999999 9\n"}},
     INT32_MAX},
    {{{"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "500000 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "400000 100000\n"}},
     4},
    {{{"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
      {"sys/fs/cgroup/a/cpu.max", "max 100000\n"}},
     3},
    /* A container that sees the host's path. */
    {{{"proc/self/cgroup", "4:memory:/d/x\n3:cpuset:/d/x\n2:cpu,cpuacct:/d/x\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "250000\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"}},
     5},
    {{{"proc/self/cgroup", "2:cpuacct,cpu:/d\n0::/\n"},
      {"sys/fs/cgroup/cpu/d/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/d/cpu.cfs_period_us", "50000\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "50000\n"}},
     3},
    {{{"proc/self/cgroup", ""}}, INT32_MAX},
    {{{"proc/self/cgroup", "junk\n7\n::\n2:cpu"}, {"sys/fs/cgroup/cpu.max", "1"}}, INT32_MAX},
};

START_TEST(quotas_of_control_groups_are_respected)
{
    folder_remove(folder_path("system"));
    for (int32_t i = 0; i < 5 && quotas[_i].files[i].path != NULL; i++) {
        char path[256];
        snprintf(path, sizeof path, "system/%s", quotas[_i].files[i].path);
        write_text(path, quotas[_i].files[i].text);
    }
    ck_assert_int_eq(cnni_processor_quota(folder_path("system")), quotas[_i].quota);
}
END_TEST

START_TEST(threads_are_by_default_what_the_process_may_use)
{
    cpu_set_t all, one;
    cnn_context *made;
    ck_assert_int_eq(cnni_processor_quota(folder_path("no system")), INT32_MAX);
    ck_assert_int_eq(cnn_context_threads(context), cnni_processors());
    ck_assert_int_eq(sched_getaffinity(0, sizeof all, &all), 0);
    CPU_ZERO(&one);
    for (size_t i = 0; CPU_COUNT(&one) == 0; i++)
        if (CPU_ISSET(i, &all))
            CPU_SET(i, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    ck_assert_int_eq(cnn_context_create(&made), CNN_OK);
    ck_assert_int_eq(cnn_context_threads(made), 1);
    cnn_context_free(made);
    ck_assert_int_eq(sched_setaffinity(0, sizeof all, &all), 0);
}
END_TEST

START_TEST(the_cpu_level_is_set_by_name)
{
    ck_assert_int_eq(cnn_context_set_cpu(context, "generic"), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(context), "generic");
    ck_assert_int_eq(cnn_context_set_cpu(context, "Generic"), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_cpu(context, ""), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_cpu(context, cnni_cpu_has(CNNI_NEON) ? "avx2" : "neon"),
                     CNN_ERROR_UNSUPPORTED);
    ck_assert_str_eq(cnn_context_cpu_name(context), "generic");
    ck_assert_int_eq(cnn_context_set_cpu(context, "auto"), CNN_OK);
    ck_assert_str_eq(cnn_context_cpu_name(context), cnni_cpu_name(cnni_cpu_best()));
}
END_TEST

START_TEST(every_level_is_found_by_its_name)
{
    ck_assert(cnni_cpu_has(CNNI_GENERIC));
    ck_assert(cnni_cpu_has(cnni_cpu_best()));
    for (cnni_cpu level = CNNI_GENERIC; level < CNNI_CPU_LEVELS; level++)
        ck_assert_int_eq(cnni_cpu_find(cnni_cpu_name(level)), level);
    ck_assert_int_eq(cnni_cpu_find("auto"), cnni_cpu_best());
    ck_assert_int_lt(cnni_cpu_find("sse"), 0);
    ck_assert(!cnni_cpu_has(-1));
    ck_assert(!cnni_cpu_has(CNNI_CPU_LEVELS));
}
END_TEST

static void *refuse(void *user, size_t size, size_t alignment)
{
    (void)user, (void)size, (void)alignment;
    return NULL;
}

static void release(void *user, void *memory, size_t size)
{
    (void)user, (void)memory, (void)size;
}

static void parallel_for(void *user, int64_t count, cnn_task_fn run, void *task)
{
    (void)user;
    for (int64_t i = 0; i < count; i++)
        run(task, i);
}

START_TEST(an_allocator_needs_both_functions)
{
    ck_assert_int_eq(cnn_context_set_allocator(context, NULL, release, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_allocator(context, refuse, NULL, NULL), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_allocator(context, refuse, release, NULL), CNN_OK);
}
END_TEST

START_TEST(set_up_closes_with_the_first_handle)
{
    cnni_context_share(context);
    ck_assert_int_eq(cnn_context_set_cpu(context, "generic"), CNN_ERROR_STATE);
    check_message("cnn_context_set_cpu: another handle");
    ck_assert_int_eq(cnn_context_set_allocator(context, refuse, release, NULL), CNN_ERROR_STATE);
    ck_assert_int_eq(cnn_context_set_parallel_for(context, parallel_for, NULL), CNN_ERROR_STATE);
    ck_assert_int_eq(cnn_context_set_threads(context, 2), CNN_OK);
    ck_assert_int_eq(cnn_context_set_seed(context, 2), CNN_OK);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, 2), CNN_OK);
    /* The handle may outlive the caller's reference; the fixture gives up the second one. */
    cnn_context_free(context);
    ck_assert_int_eq(cnn_context_threads(context), 2);
}
END_TEST

static void do_nothing(void *task, int64_t item, int32_t lane)
{
    (void)task, (void)item, (void)lane;
}

START_TEST(set_up_closes_with_the_first_thread)
{
    ck_assert_int_eq(cnn_context_set_threads(context, 2), CNN_OK);
    cnni_parallel(context, 2, 2, do_nothing, NULL);
    ck_assert_int_eq(cnn_context_set_cpu(context, "generic"), CNN_ERROR_STATE);
    check_message("cnn_context_set_cpu: another handle of this context exists, or its threads");
    ck_assert_int_eq(cnn_context_set_allocator(context, refuse, release, NULL), CNN_ERROR_STATE);
    ck_assert_int_eq(cnn_context_set_parallel_for(context, parallel_for, NULL), CNN_ERROR_STATE);
}
END_TEST

START_TEST(layers_draw_streams_in_turn)
{
    uint64_t seed, stream;
    cnni_context_next_stream(context, &seed, &stream);
    ck_assert(seed == 0 && stream == 0);
    cnni_context_next_stream(context, &seed, &stream);
    ck_assert(seed == 0 && stream == 1);
    ck_assert_int_eq(cnn_context_set_seed(context, UINT64_MAX), CNN_OK);
    cnni_context_next_stream(context, &seed, &stream);
    ck_assert(seed == UINT64_MAX && stream == 0);
}
END_TEST

/* ---- Log ---- */

struct log {
    int32_t lines;
    cnn_log_level level;
    char text[2 * CNNI_ERROR_SIZE];
};

static void take_line(void *user, cnn_log_level level, const char *text)
{
    struct log *log = user;
    log->lines++;
    log->level = level;
    snprintf(log->text, sizeof log->text, "%s", text);
}

START_TEST(log_lines_reach_the_callback)
{
    static struct log log;
    cnni_note(context, CNN_LOG_INFO, "nobody listens");
    ck_assert_int_eq(cnn_context_set_log(context, take_line, &log), CNN_OK);
    cnni_note(context, CNN_LOG_WARNING, "picture %d skipped", 3);
    ck_assert_int_eq(log.lines, 1);
    ck_assert_int_eq(log.level, CNN_LOG_WARNING);
    ck_assert_str_eq(log.text, "picture 3 skipped");
    ck_assert_int_eq(cnn_context_set_log(context, NULL, NULL), CNN_OK);
    cnni_note(context, CNN_LOG_INFO, "nobody listens");
    ck_assert_int_eq(log.lines, 1);
}
END_TEST

/* Euro signs of three bytes, cut at every place. */
START_TEST(texts_are_cut_between_characters)
{
    static struct log log;
    char wide[2001] = "", small[20], wanted[2002];
    for (int32_t i = 0; i < 666; i++)
        memcpy(wide + 3 * i, "\xE2\x82\xAC", 3);
    ck_assert_int_eq(cnn_context_set_log(context, take_line, &log), CNN_OK);
    for (int32_t before = 0; before < 3; before++) {
        const size_t whole = (size_t)before + (CNNI_ERROR_SIZE - 1 - (size_t)before) / 3 * 3;
        snprintf(wanted, sizeof wanted, "%.*s%s", before, "ab", wide);
        wanted[whole] = '\0';
        cnni_fail(context, CNN_ERROR_INVALID, "%.*s%s", before, "ab", wide);
        ck_assert_str_eq(cnn_error_message(), wanted);
        cnni_note(context, CNN_LOG_INFO, "%.*s%s", before, "ab", wide);
        ck_assert_str_eq(log.text, wanted);
    }
    cnni_fail(context, CNN_ERROR_INVALID, "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\xBAz");
    for (size_t size = 1; size <= 13; size++) {
        static const size_t lengths[] = {0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11};
        cnn_context_error(context, small, size);
        ck_assert_uint_eq(strlen(small), lengths[size]);
        ck_assert_int_eq(strncmp(small, cnn_error_message(), lengths[size]), 0);
    }
}
END_TEST

START_TEST(leniency_is_0_or_1)
{
    ck_assert_int_eq(cnn_context_set_lenient(context, 1), CNN_OK);
    ck_assert_int_eq(cnn_context_set_lenient(context, 0), CNN_OK);
    ck_assert_int_eq(cnn_context_set_lenient(context, 2), CNN_ERROR_INVALID);
    ck_assert_str_eq(cnn_error_message(), "cnn_context_set_lenient: lenient is 2, must be 0 or 1");
    ck_assert_int_eq(cnn_context_set_lenient(context, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_set_lenient(NULL, 1), CNN_ERROR_INVALID);
}
END_TEST

START_TEST(log_levels_have_names)
{
    ck_assert_str_eq(cnn_log_level_name(CNN_LOG_WARNING), "warning");
    ck_assert_str_eq(cnn_log_level_name(CNN_LOG_INFO), "info");
    static const cnn_log_level bad[] = {0, 3, -1, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < CNNI_COUNT(bad); i++)
        ck_assert_str_eq(cnn_log_level_name(bad[i]), "unknown level");
}
END_TEST

/* ---- Limits ---- */

START_TEST(limits_have_documented_defaults)
{
    static const struct {
        cnn_limit limit;
        int64_t value;
    } rows[] = {
        {CNN_LIMIT_IMAGE_SIDE, 32768},
        {CNN_LIMIT_IMAGE_PIXELS, 67108864},
        {CNN_LIMIT_IMAGE_BYTES, 67108864},
        {CNN_LIMIT_DECODER_BYTES, 536870912},
        {CNN_LIMIT_JPEG_SCANS, 100},
        {CNN_LIMIT_HEADER_BYTES, 16777216},
        {CNN_LIMIT_MODEL_BYTES, 4294967296},
        {CNN_LIMIT_TENSORS, 65536},
        {CNN_LIMIT_LAYERS, 4096},
        {CNN_LIMIT_CLASSES, 100000},
        {CNN_LIMIT_SAMPLES, 10000000},
    };
    for (int32_t i = 0; i < CNNI_COUNT(rows); i++) {
        ck_assert_int_eq(cnn_context_limit(context, rows[i].limit), rows[i].value);
        ck_assert_str_ne(cnn_limit_name(rows[i].limit), "unknown limit");
    }
    ck_assert_str_eq(cnn_limit_name(CNN_LIMIT_IMAGE_SIDE), "image side");
}
END_TEST

START_TEST(limits_are_set_and_checked)
{
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, 5), CNN_OK);
    ck_assert_int_eq(cnn_context_limit(context, CNN_LIMIT_LAYERS), 5);
    ck_assert_int_eq(cnni_check_limit(context, CNN_LIMIT_LAYERS, 5, "cnn_f", "count"), CNN_OK);
    ck_assert_int_eq(cnni_check_limit(context, CNN_LIMIT_LAYERS, 6, "cnn_f", "count"),
                     CNN_ERROR_LIMIT);
    check_message("cnn_f: count is 6, more than the limit \"layers\" of 5");
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, INT64_MAX), CNN_OK);
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, 0), CNN_ERROR_INVALID);
    check_message("\"layers\" is 0, must be at least 1");
    ck_assert_int_eq(cnn_context_set_limit(context, CNN_LIMIT_LAYERS, -1), CNN_ERROR_INVALID);
    ck_assert_int_eq(cnn_context_limit(context, CNN_LIMIT_LAYERS), INT64_MAX);
}
END_TEST

START_TEST(numbers_that_are_no_limits)
{
    static const cnn_limit bad[] = {0, CNN_LIMIT_SAMPLES + 1, -1, INT32_MAX, INT32_MIN};
    for (int32_t i = 0; i < CNNI_COUNT(bad); i++) {
        ck_assert_int_eq(cnn_context_set_limit(context, bad[i], 1), CNN_ERROR_INVALID);
        ck_assert_int_eq(cnn_context_limit(context, bad[i]), 0);
        ck_assert_str_eq(cnn_limit_name(bad[i]), "unknown limit");
    }
}
END_TEST

START_TEST(the_version_is_the_header_s)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", CNN_VERSION_MAJOR, CNN_VERSION_MINOR,
             CNN_VERSION_PATCH);
    ck_assert_str_eq(cnn_version_string(), text);
    ck_assert_int_eq(cnn_version_number(),
                     CNN_VERSION_MAJOR * 10000 + CNN_VERSION_MINOR * 100 + CNN_VERSION_PATCH);
}
END_TEST

static Suite *context_suite(void)
{
    Suite *suite = suite_create("context");
    TCase *tcase = tcase_create("context");
    tcase_add_unchecked_fixture(tcase, folder_set_up, folder_tear_down);
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, creation_reads_cnn_cpu);
    tcase_add_test(tcase, creation_refuses_a_bad_cnn_cpu);
    tcase_add_test(tcase, isolated_creation_reads_no_environment);
    tcase_add_test(tcase, null_is_refused_everywhere);
    tcase_add_test(tcase, threads_are_1_to_256);
    tcase_add_loop_test(tcase, quotas_of_control_groups_are_respected, 0, CNNI_COUNT(quotas));
    tcase_add_test(tcase, threads_are_by_default_what_the_process_may_use);
    tcase_add_test(tcase, the_cpu_level_is_set_by_name);
    tcase_add_test(tcase, every_level_is_found_by_its_name);
    tcase_add_test(tcase, an_allocator_needs_both_functions);
    tcase_add_test(tcase, set_up_closes_with_the_first_handle);
    tcase_add_test(tcase, set_up_closes_with_the_first_thread);
    tcase_add_test(tcase, layers_draw_streams_in_turn);
    tcase_add_test(tcase, log_lines_reach_the_callback);
    tcase_add_test(tcase, texts_are_cut_between_characters);
    tcase_add_test(tcase, leniency_is_0_or_1);
    tcase_add_test(tcase, log_levels_have_names);
    tcase_add_test(tcase, limits_have_documented_defaults);
    tcase_add_test(tcase, limits_are_set_and_checked);
    tcase_add_test(tcase, numbers_that_are_no_limits);
    tcase_add_test(tcase, the_version_is_the_header_s);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return run_suite(context_suite());
}
