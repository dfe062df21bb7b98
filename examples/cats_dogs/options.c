/* SPDX-License-Identifier: MIT
 * An option is a row of `rules`: its type, its place in struct options, and what it may be.  Values
 * that depend on each other, or on files, are checked where they are used. */
#include "options.h"

#include "console.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) ((int)(sizeof(array) / sizeof((array)[0])))

const struct options options_default = {
    .output = "cats-dogs.cnn",
    .network = "default",
    .count = 2400,
    .validation = 0.1,
};

enum type { TEXT, WHOLE, REAL, SWITCH };

static const struct rule {
    const char *name;
    int commands;
    enum type type;
    size_t place;
    double low, high; /* WHOLE: both allowed; REAL: neither */
} rules[] = {
    {"output", FOR_TRAIN, TEXT, offsetof(struct options, output), 0, 0},
    {"network", FOR_TRAIN, TEXT, offsetof(struct options, network), 0, 0},
    {"size", FOR_TRAIN, WHOLE, offsetof(struct options, size), 1, 4096},
    {"epochs", FOR_TRAIN, WHOLE, offsetof(struct options, epochs), 1, 1e6},
    {"batch", FOR_TRAIN, WHOLE, offsetof(struct options, batch), 1, 4096},
    {"learning-rate", FOR_TRAIN, REAL, offsetof(struct options, learning_rate), 0, 1000},
    {"threads", FOR_TRAIN, WHOLE, offsetof(struct options, threads), 1, 256},
    {"seed", FOR_TRAIN | FOR_DRAW, WHOLE, offsetof(struct options, seed), 0, 1e15},
    {"validation", FOR_TRAIN, REAL, offsetof(struct options, validation), 0, 1},
    {"quiet", FOR_TRAIN, SWITCH, offsetof(struct options, quiet), 0, 0},
    {"count", FOR_DRAW, WHOLE, offsetof(struct options, count), 4, 1e6},
    {"help", FOR_TRAIN | FOR_EVALUATE | FOR_PREDICT | FOR_DRAW, SWITCH,
     offsetof(struct options, help), 0, 0},
};

static bool read_whole(int64_t *value, const struct rule *rule, const char *text)
{
    char *end;

    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (end != text && *end == '\0' && errno == 0 && (double)number >= rule->low &&
        (double)number <= rule->high) {
        *value = number;
        return true;
    }
    console_error("--%s %s: wanted a whole number from %.0f to %.0f", rule->name, text, rule->low,
                  rule->high);
    return false;
}

static bool read_real(double *value, const struct rule *rule, const char *text)
{
    char *end;
    const double number = strtod(text, &end);

    if (end != text && *end == '\0' && number > rule->low && number < rule->high) {
        *value = number;
        return true;
    }
    console_error("--%s %s: wanted a number above %.0f and below %.0f", rule->name, text, rule->low,
                  rule->high);
    return false;
}

static bool read_value(struct options *options, const struct rule *rule, const char *text)
{
    void *value = (char *)options + rule->place;

    switch (rule->type) {
    case TEXT:
        if (text[0] == '\0')
            console_error("--%s: found nothing, wanted a name", rule->name);
        *(const char **)value = text;
        return text[0] != '\0';
    case WHOLE: return read_whole(value, rule, text);
    case REAL: return read_real(value, rule, text);
    case SWITCH: *(bool *)value = true; return true;
    }
    return false;
}

/* Turns the rules of one command into getopt_long()'s table; `val` is 1 + the rule's number, which,
 * with so few rules, is neither '?' nor ':'. */
static void list_options(struct option list[COUNT(rules) + 1], int command)
{
    int count = 0;

    _Static_assert(COUNT(rules) < ':', "numbers of rules are taken for getopt's own results");
    for (int i = 0; i < COUNT(rules); i++) {
        if (rules[i].commands & command)
            list[count++] = (struct option){
                .name = rules[i].name,
                .has_arg = rules[i].type == SWITCH ? no_argument : required_argument,
                .val = i + 1,
            };
    }
    list[count] = (struct option){0};
}

static bool complain(int found, const char *argument)
{
    if (found == ':')
        console_error("%s: wanted a value behind it", argument);
    else
        console_error("%s: no such option; see cats-dogs --help", argument);
    return false;
}

bool options_read(struct options *options, int command, int argc, char **argv)
{
    struct option list[COUNT(rules) + 1];
    int found;

    *options = options_default;
    list_options(list, command);
    while ((found = getopt_long(argc, argv, ":", list, NULL)) != -1) {
        if (found == '?' || found == ':')
            return complain(found, argv[optind - 1]);
        if (!read_value(options, &rules[found - 1], optarg))
            return false;
    }
    options->operands = argv + optind;
    options->operand_count = argc - optind;
    return true;
}
