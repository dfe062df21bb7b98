/* SPDX-License-Identifier: MIT
 * The note is a line about the best epoch, one with the history, one with the command that the
 * training began with, and then the options that it has by now, an argument on each: what reads
 * arguments also checks those of a file.  Bytes other than printable ASCII are written as %xx, so
 * that any path fits on a line. */
#include "resume_note.h"

#include "console.h"

#include <stdio.h>
#include <string.h>

/* ---- Writing ------------------------------------------------------------------------------- */

/* A note in the making. */
struct draft {
    char *text;       /* of CNN_NOTE_SIZE bytes */
    size_t used, end; /* lines may go up to `end` */
};

/* Room for the first line, and for all lines behind the history.  That grows: whether there is
 * enough is to be known at the beginning. */
enum { FIRST_SIZE = 256, LINES_SIZE = CNN_NOTE_SIZE - HISTORY_SIZE - FIRST_SIZE };

/* Appends an argument as a line.  False when there is no room. */
static bool put_line(void *user, const char *argument)
{
    struct draft *draft = user;

    for (; *argument != '\0' && draft->used + 8 < draft->end; argument++) {
        const unsigned char byte = (unsigned char)*argument;
        const bool is_plain = byte >= ' ' && byte <= '~' && byte != '%';
        draft->used += (size_t)sprintf(draft->text + draft->used, is_plain ? "%c" : "%%%02x", byte);
    }
    strcpy(draft->text + draft->used++, "\n");
    return *argument == '\0' && draft->used + 8 < draft->end;
}

static void put_record(struct draft *draft, bool finished, const struct record *record)
{
    const struct best *best = &record->best;

    draft->used =
        (size_t)sprintf(draft->text, "cats-dogs 3 %d %lld %lld %.17g %.17g\n", finished,
                        (long long)best->epoch, (long long)best->saved, best->accuracy, best->loss);
    draft->used += history_write(draft->text + draft->used, &record->history);
    strcpy(draft->text + draft->used++, "\n");
    draft->end = draft->used + LINES_SIZE;
}

bool resume_note_write(char text[CNN_NOTE_SIZE], const struct options *options,
                       const struct record *record, bool finished)
{
    struct draft draft = {.text = text};

    put_record(&draft, finished, record);
    return put_line(&draft, options->first_command) && options_list(options, put_line, &draft) &&
           put_line(&draft, "--") &&
           (options->operand_count == 0 || put_line(&draft, options->operands[0]));
}

/* ---- Reading ------------------------------------------------------------------------------- */

static void undo_escapes(char *text)
{
    char *end = text;
    unsigned int byte;

    for (; *text != '\0'; end++) {
        int length = 0;
        const bool is_escape =
            sscanf(text, "%%%2x%n", &byte, &length) == 1 && length == 3 && byte != 0;
        *end = is_escape ? (char)byte : *text;
        text += is_escape ? 3 : 1;
    }
    *end = '\0';
}

/* Cuts the lines into the command and arguments.  Returns how many; 0 for too many. */
static int read_arguments(struct resume_note *note, char *text)
{
    int count = 0;

    while (*text != '\0') {
        char *end = text + strcspn(text, "\n");
        if (*end == '\0' || count > MOST_ARGUMENTS)
            return 0;
        *end = '\0';
        undo_escapes(text);
        note->arguments[count++] = text;
        text = end + 1;
    }
    note->arguments[count] = NULL;
    return count;
}

/* Returns what is behind the two lines; NULL where they are not of this program. */
static char *read_record(struct resume_note *note)
{
    int finished, length = 0;
    long long epoch, saved;
    struct best *best = &note->record.best;

    if (sscanf(note->text, "cats-dogs 3 %d %lld %lld %lf %lf%n", &finished, &epoch, &saved,
               &best->accuracy, &best->loss, &length) != 5 ||
        note->text[length] != '\n' || !history_read(&note->record.history, note->text + length + 1))
        return NULL;
    note->finished = finished != 0;
    best->epoch = epoch;
    best->saved = saved;
    return strchr(note->text + length + 1, '\n') + 1;
}

/* The command stands where arguments have the name of the program. */
bool resume_note_read(struct resume_note *note)
{
    char *lines = read_record(note);
    const int count = lines != NULL ? read_arguments(note, lines) : 0;

    if (count == 0)
        return false;
    console_hush(true);
    const bool known = options_read(&note->options, FOR_TRAIN, count, note->arguments);
    console_hush(false);
    note->options.first_command = note->arguments[0];
    return known;
}
