/* SPDX-License-Identifier: MIT
 * What the dataset doctor finds, sorted by what is to be done about it. */
#ifndef CHECK_FINDINGS_H
#define CHECK_FINDINGS_H

#include <stdbool.h>
#include <stdint.h>

/* The sections of the report, in its order. */
enum finding {
    FOUND_FOLDER,
    FOUND_LINK,
    FOUND_UNREADABLE,
    FOUND_DAMAGED,
    FOUND_MISNAMED,
    FOUND_PASSED_OVER,
    FOUND_CONTRADICTION,
    FOUND_LEAK,
    FOUND_TWICE,
    FOUND_TINY,
    FOUND_NARROW,
    FOUND_PLAIN,
    FOUND_CLASSES,
    FOUND_DOUBTFUL,
    FINDINGS
};

struct finding_line;

/* All zero: none yet. */
struct findings {
    struct {
        struct finding_line *lines;
        int64_t line_count;
        int64_t count; /* of findings, some of which have several lines */
    } of[FINDINGS];
    bool is_incomplete; /* there was no memory for one */
};

/* Adds a finding, made harmless. */
void findings_add(struct findings *findings, enum finding kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a line to the newest finding of this kind. */
void findings_add_line(struct findings *findings, enum finding kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces what would disturb a terminal, as file names of strangers may, by '?'. */
void findings_make_harmless(char *text);

/* How many there are in all. */
int64_t findings_count(const struct findings *findings);

/* Prints a section for each kind that was found: `all` of it, or the first few findings and the
 * first few lines of each. */
void findings_print(const struct findings *findings, bool all);

void findings_free(struct findings *findings);

#endif
