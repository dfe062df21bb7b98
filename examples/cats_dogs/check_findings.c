/* SPDX-License-Identifier: MIT
 * Keeping findings, and what the report says about each kind. */
#include "check_findings.h"

#include "console.h"
#include "growing.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* How much is printed unless all is asked for. */
enum { MOST_FINDINGS = 10, MOST_LINES = 10 };

struct finding_line {
    char *text;
    bool is_more; /* about the finding above */
};

static const struct section {
    const char *title;
    const char *advice; /* in lines of 80 columns at most */
} sections[FINDINGS] = {
    [FOUND_FOLDER] = {"Folders",
                      "Put these right first: training refuses them, or takes them for something\n"
                      "else."},
    [FOUND_LINK] = {"Links",
                    "Links are not followed: training refuses those in place of folders, and\n"
                    "leaves out the others. Put what they lead to in their place."},
    [FOUND_UNREADABLE] = {"Files that cannot be read",
                          "Training leaves them out, with a warning each time. Get them again,\n"
                          "convert them, or delete them."},
    [FOUND_DAMAGED] = {"Damaged pictures",
                       "Training leaves them out, with a warning each time. Get them again, or,\n"
                       "where what is left will do, open them and save them anew."},
    [FOUND_MISNAMED] = {"Pictures under the name of another format",
                        "Training goes by what is in a file and reads them. Rename them: other\n"
                        "programs may not."},
    [FOUND_PASSED_OVER] = {"Passed over",
                           "Training only looks at .jpg, .jpeg and .png files in the folders of\n"
                           "classes. Rename, convert or move what is to be trained on."},
    [FOUND_CONTRADICTION] = {"The same picture in different classes",
                             "At most one of them is right. Keep that one, delete the others."},
    [FOUND_LEAK] = {"The same picture for training and for testing",
                    "A test with pictures that were trained on looks better than it is. Keep\n"
                    "them in one of the two."},
    [FOUND_TWICE] = {"The same picture more than once",
                     "It counts as often, and may be trained on and validated with. Keep one."},
    [FOUND_TINY] = {"Tiny pictures",
                    "They are enlarged, and show little. Get larger ones, or train on a smaller\n"
                    "--size."},
    [FOUND_NARROW] = {"Narrow pictures",
                      "All pictures are squeezed into squares. Cut out of these what they are\n"
                      "there for."},
    [FOUND_PLAIN] = {"Pictures of nothing", "There is nothing on them to learn from. Delete them."},
    [FOUND_CLASSES] =
        {"Classes", "A class needs pictures for training and for testing, some fifty to begin\n"
                    "with, and about as many as the others; --class-weights balanced helps where\n"
                    "there are no more."},
    [FOUND_DOUBTFUL] = {"Labels that the model doubts",
                        "Look at them, the surest come first, and move or delete what is in the\n"
                        "wrong class. Often the model is wrong."},
};

/* ---- Keeping ------------------------------------------------------------------------------- */

void findings_make_harmless(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++)
        *c = *c < ' ' || *c == 127 ? '?' : *c;
}

__attribute__((format(printf, 4, 0))) static void
add(struct findings *findings, enum finding kind, bool is_more, const char *format, va_list values)
{
    struct finding_line *lines =
        grown(findings->of[kind].lines, findings->of[kind].line_count, sizeof *lines);
    char *text;

    if (lines != NULL)
        findings->of[kind].lines = lines;
    if (lines == NULL || vasprintf(&text, format, values) < 0) {
        findings->is_incomplete = true;
        return;
    }
    findings_make_harmless(text);
    lines[findings->of[kind].line_count++] = (struct finding_line){text, is_more};
    findings->of[kind].count += !is_more;
}

void findings_add(struct findings *findings, enum finding kind, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add(findings, kind, false, format, values);
    va_end(values);
}

void findings_add_line(struct findings *findings, enum finding kind, const char *format, ...)
{
    va_list values;

    va_start(values, format);
    add(findings, kind, true, format, values);
    va_end(values);
}

int64_t findings_count(const struct findings *findings)
{
    int64_t count = 0;

    for (int i = 0; i < FINDINGS; i++)
        count += findings->of[i].count;
    return count;
}

void findings_free(struct findings *findings)
{
    for (int i = 0; i < FINDINGS; i++) {
        for (int64_t j = 0; j < findings->of[i].line_count; j++)
            free(findings->of[i].lines[j].text);
        free(findings->of[i].lines);
    }
}

/* ---- Printing ------------------------------------------------------------------------------ */

/* Prints the finding whose lines begin at `lines`; returns how many these are. */
static int64_t print_finding(const struct finding_line *lines, int64_t left, bool all)
{
    int64_t count = 1;

    console_line("  %s", lines[0].text);
    for (; count < left && lines[count].is_more; count++) {
        if (all || count < MOST_LINES)
            console_line("    %s", lines[count].text);
    }
    if (!all && count > MOST_LINES)
        console_line("    and %lld more", (long long)(count - MOST_LINES));
    return count;
}

static void print_section(const struct findings *findings, int kind, bool all)
{
    const struct finding_line *lines = findings->of[kind].lines;
    const int64_t line_count = findings->of[kind].line_count;
    const int64_t count = findings->of[kind].count;
    const int64_t shown = all || count < MOST_FINDINGS ? count : MOST_FINDINGS;

    console_line("\n%s: %lld", sections[kind].title, (long long)count);
    for (int64_t i = 0, line = 0; i < shown; i++)
        line += print_finding(lines + line, line_count - line, all);
    if (shown < count)
        console_line("  and %lld more; --all shows them", (long long)(count - shown));
    console_line("%s", sections[kind].advice);
}

void findings_print(const struct findings *findings, bool all)
{
    for (int i = 0; i < FINDINGS; i++) {
        if (findings->of[i].count > 0)
            print_section(findings, i, all);
    }
}
