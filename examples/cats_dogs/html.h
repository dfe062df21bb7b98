/* SPDX-License-Identifier: MIT
 * Writing HTML that an XML parser takes as well.  Whatever comes from outside goes through these
 * functions; plain fprintf() is for markup and numbers of ours. */
#ifndef HTML_H
#define HTML_H

#include <stddef.h>
#include <stdio.h>

/* Writes text that stays text, whatever bytes it has: markup is escaped, and bytes that are no
 * UTF-8, or no characters of XML, are shown as \xNN. */
void html_text(FILE *page, const char *text);

/* The same for at most `most` characters; more are cut off at their end, with an ellipsis. */
void html_text_short(FILE *page, const char *text, int most);

/* <tag>text</tag> on a line; `tag` may have attributes, `p class="note"`. */
void html_element(FILE *page, const char *tag, const char *text);

/* " alt="text"": a space and one attribute. */
void html_attribute(FILE *page, const char *name, const char *text);

/* data:TYPE;base64,... */
void html_data_uri(FILE *page, const char *type, const unsigned char *bytes, size_t size);

#endif
