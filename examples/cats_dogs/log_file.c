/* SPDX-License-Identifier: MIT
 * Opening, and giving up. */
#include "log_file.h"

#include "console.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static bool open_file(struct log_file *log, const char *option, const char *path, const char *mode)
{
    *log = (struct log_file){fopen(path, mode), option, path};
    if (log->file == NULL)
        console_error("%s %s: %s, wanted a place to write to", option, path, strerror(errno));
    return log->file != NULL;
}

/* Whether the last line of a file lacks its end; what is no file, or cannot be read, has none. */
static bool is_cut_short(const char *path)
{
    struct stat status;
    const bool is_file = stat(path, &status) == 0 && S_ISREG(status.st_mode);
    FILE *file = is_file ? fopen(path, "r") : NULL;
    const bool has_end = file != NULL && fseek(file, -1, SEEK_END) == 0;
    const int last = has_end ? getc(file) : '\n';

    if (file != NULL)
        fclose(file);
    return last != '\n' && last != EOF;
}

bool log_file_append(struct log_file *log, const char *option, const char *path)
{
    const bool cut_short = is_cut_short(path);

    if (!open_file(log, option, path, "a"))
        return false;
    if (cut_short)
        putc('\n', log->file);
    return true;
}

bool log_file_create(struct log_file *log, const char *option, const char *path)
{
    return open_file(log, option, path, "wx");
}

static void give_up(struct log_file *log, int reason)
{
    console_error("%s %s: %s; it is written no further", log->option, log->path,
                  reason != 0 ? strerror(reason) : "could not be written");
}

void log_file_flush(struct log_file *log)
{
    if (log->file == NULL)
        return;
    errno = 0;
    if (fflush(log->file) == 0 && !ferror(log->file))
        return;
    give_up(log, errno);
    fclose(log->file);
    log->file = NULL;
}

void log_file_close(struct log_file *log)
{
    log_file_flush(log);
    errno = 0;
    if (log->file != NULL && fclose(log->file) != 0)
        give_up(log, errno);
    log->file = NULL;
}
