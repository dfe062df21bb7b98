/* SPDX-License-Identifier: MIT
 * The command that started the program, as text for files that say how they came about. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

/* Writes the `count` words so that a shell reads the same ones, with spaces in between: what has
 * other than plain letters is put in quotes.  The caller frees the text; NULL without memory. */
char *command_line_text(int count, char *const *words);

#endif
