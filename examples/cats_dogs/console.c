/* SPDX-License-Identifier: MIT
 * The terminal's own language is kept to two commands: back to the left, and erase to the right. */
#include "console.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool status_shown;
static bool hushed;

static void erase_status(void)
{
    if (status_shown)
        fputs("\r\033[K", stderr);
    status_shown = false;
}

/* Prints a line to `stream` above the status line, so that neither damages the other. */
__attribute__((format(printf, 3, 0))) static void print(FILE *stream, const char *start,
                                                        const char *format, va_list values)
{
    erase_status();
    fputs(start, stream);
    vfprintf(stream, format, values);
    fputc('\n', stream);
    fflush(stream);
}

void console_error(const char *format, ...)
{
    va_list values;

    if (hushed)
        return;
    va_start(values, format);
    print(stderr, "cats-dogs: ", format, values);
    va_end(values);
}

void console_hush(bool on)
{
    hushed = on;
}

const char *console_library_reason(void)
{
    const char *text = cnn_error_message();
    const char *colon = strstr(text, ": ");

    return strncmp(text, "cnn_", 4) == 0 && colon != NULL ? colon + 2 : text;
}

void console_library_error(void)
{
    console_error("%s", console_library_reason());
}

bool console_succeeded(cnn_status status)
{
    if (status != CNN_OK)
        console_library_error();
    return status == CNN_OK;
}

void console_log(void *user, cnn_log_level level, const char *text)
{
    (void)user;
    console_error("%s: %s", cnn_log_level_name(level), text);
}

void console_line(const char *format, ...)
{
    va_list values;

    va_start(values, format);
    print(stdout, "", format, values);
    va_end(values);
}

bool console_has_status(void)
{
    return isatty(STDERR_FILENO);
}

int console_status_width(void)
{
    struct winsize window;

    /* One column less than there are: a full line would move the cursor on to the next. */
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1)
        return window.ws_col - 1;
    return 79;
}

void console_status(const char *text)
{
    fprintf(stderr, "\r\033[K%.*s", console_status_width(), text);
    fflush(stderr);
    status_shown = true;
}

bool console_finish(void)
{
    erase_status();
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    console_error("standard output: %s", errno != 0 ? strerror(errno) : "could not be written");
    return false;
}
