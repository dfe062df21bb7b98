/* SPDX-License-Identifier: MIT
 * Quoting for a shell: between single quotes everything is plain but the single quote, which is
 * written as '\'' (end, one quote, begin again). */
#include "command_line.h"

#include <stdlib.h>
#include <string.h>

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                            "%+,-./:=@_";

/* Writes `word` at `end`, at most 4 bytes for each of its own and 2 more; returns the new end. */
static char *put_word(char *end, const char *word)
{
    if (word[0] != '\0' && word[strspn(word, plain)] == '\0')
        return stpcpy(end, word);
    *end++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            end = stpcpy(end, "'\\''");
        else
            *end++ = *word;
    }
    *end++ = '\'';
    return end;
}

char *command_line_text(int count, char *const *words)
{
    size_t room = 1;

    for (int i = 0; i < count; i++)
        room += 4 * strlen(words[i]) + 3;
    char *text = malloc(room);
    char *end = text;
    for (int i = 0; text != NULL && i < count; i++) {
        if (i > 0)
            *end++ = ' ';
        end = put_word(end, words[i]);
    }
    if (text != NULL)
        *end = '\0';
    return text;
}
