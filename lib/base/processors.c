/* SPDX-License-Identifier: MIT
 * Affinity from the scheduler, quotas from the control groups of Linux: a container on a machine of
 * 64 processors may have the time of two, and 64 threads would take turns on it. */
#include "base/processors.h"

#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    TEXT_SIZE = 4096,
    SETS = 64 /* of 1024 processors each: the kernel refuses less than it was built for */
};

static int32_t affinity(void)
{
#if defined(__linux__)
    cpu_set_t sets[SETS];
    if (sched_getaffinity(0, sizeof sets, sets) == 0)
        return CPU_COUNT_S(sizeof sets, sets);
    return 1;
#else
    return (int32_t)sysconf(_SC_NPROCESSORS_ONLN);
#endif
}

/* ---- Quotas -------------------------------------------------------------------------------- */

/* The beginning of a file; "" for one that is not there. */
static void read_text(char text[TEXT_SIZE], const char *folder, const char *name)
{
    char path[PATH_MAX];
    ssize_t size = -1;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        size = read(file, text, TEXT_SIZE - 1);
        close(file);
    }
    text[CNNI_MAX(size, 0)] = '\0';
}

/* The number that `text` begins with, moving on behind it; 0 for none ("max", "-1"). */
static int64_t read_number(const char **text)
{
    int64_t number = 0;
    for (; **text >= '0' && **text <= '9' && number < INT64_MAX / 100; ++*text)
        number = number * 10 + (**text - '0');
    return number;
}

/* Of one group: "cpu.max" is "QUOTA PERIOD" (version 2), or each has its file (version 1). */
static int32_t group_quota(const char *folder)
{
    char text[TEXT_SIZE], second[TEXT_SIZE];
    const char *next = text, *other = second;
    read_text(text, folder, "cpu.max");
    int64_t quota = read_number(&next);
    next += *next == ' ';
    int64_t period = read_number(&next);
    if (text[0] == '\0') {
        read_text(text, folder, "cpu.cfs_quota_us");
        read_text(second, folder, "cpu.cfs_period_us");
        quota = read_number(&next);
        period = read_number(&other);
    }
    if (quota < 1 || period < 1)
        return INT32_MAX;
    return (int32_t)CNNI_MIN(cnni_ceil_div(quota, period), INT32_MAX);
}

/* Of the group at `path` and all that it is in.  Where a container sees the path that the host
 * knows it by, its own group is the outermost. */
static int32_t least_quota(const char *mount, const char *path)
{
    char folder[PATH_MAX];
    int32_t least = INT32_MAX;
    for (size_t length = strcspn(path, "\n");; length--) {
        if (length == 0 || strchr("/\n", path[length]) != NULL) { /* or its end */
            snprintf(folder, sizeof folder, "%s%.*s", mount, (int)length, path);
            least = CNNI_MIN(least, group_quota(folder));
        }
        if (length == 0)
            return least;
    }
}

/* Whether `controllers`, "cpu,cpuacct:...", has that for processors. */
static bool has_cpu(const char *controllers)
{
    for (;;) {
        size_t length = strcspn(controllers, ",:\n");
        if (length == 3 && memcmp(controllers, "cpu", 3) == 0)
            return true;
        if (controllers[length] != ',')
            return false;
        controllers += length + 1;
    }
}

int32_t cnni_processor_quota(const char *root)
{
    char groups[TEXT_SIZE], mount[PATH_MAX];
    int32_t least = INT32_MAX;
    snprintf(mount, sizeof mount, "%s/proc/self", root);
    read_text(groups, mount, "cgroup");
    /* Lines of "NUMBER:CONTROLLERS:PATH"; in version 2 there are no controllers. */
    for (const char *line = groups; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *controllers = strchr(line, ':');
        const char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
        if (path == NULL || (path != controllers + 1 && !has_cpu(controllers + 1)))
            continue;
        snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root,
                 path == controllers + 1 ? "" : "/cpu");
        least = CNNI_MIN(least, least_quota(mount, path + 1));
    }
    return least;
}

int32_t cnni_processors(void)
{
    return CNNI_MAX(CNNI_MIN(affinity(), cnni_processor_quota("")), 1);
}
