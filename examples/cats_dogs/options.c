/* SPDX-License-Identifier: MIT
 * An option is a row of `rules`: its type, its place in struct options, and what it may be.  Values
 * that depend on each other, or on files, are checked where they are used. */
#include "options.h"

#include "console.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct options options_default = {
    .output = "cats-dogs.cnn",
    .network = "default",
    .count = 2400,
    .validation = 0.1,
    .schedule = "cosine",
    .accumulate = 1,
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
    {"schedule", FOR_TRAIN, TEXT, offsetof(struct options, schedule), 0, 0},
    {"ema", FOR_TRAIN, REAL, offsetof(struct options, ema), 0, 1},
    {"accumulate", FOR_TRAIN, WHOLE, offsetof(struct options, accumulate), 1, 4096},
    {"patience", FOR_TRAIN, WHOLE, offsetof(struct options, patience), 1, 1e6},
    {"flip-average", FOR_TRAIN | FOR_EVALUATE | FOR_PREDICT, SWITCH,
     offsetof(struct options, flip_average), 0, 0},
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

/* The rule that `argument`, "--name" or "--name=value", follows, `length` bytes without the value;
 * NULL where the command has none.  Names are not abbreviated: a later option must not change what
 * a command line means. */
static const struct rule *find_rule(int command, const char *argument, size_t length)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const char *name = rules[i].name;
        if ((rules[i].commands & command) && length == 2 + strlen(name) &&
            memcmp(argument, "--", 2) == 0 && memcmp(argument + 2, name, length - 2) == 0)
            return &rules[i];
    }
    return NULL;
}

/* Reads the option at `arguments`, whose value may be the argument behind it.  Returns how many
 * arguments that were; 0, after a message, for a wrong one. */
static int read_option(struct options *options, int command, char **arguments)
{
    const size_t length = strcspn(arguments[0], "=");
    const struct rule *rule = find_rule(command, arguments[0], length);
    const char *value = arguments[0][length] == '=' ? arguments[0] + length + 1 : NULL;
    const bool is_behind = rule != NULL && rule->type != SWITCH && value == NULL;

    if (is_behind)
        value = arguments[1]; /* NULL at the end, as in argv */
    if (rule == NULL)
        console_error("%s: no such option; see cats-dogs --help", arguments[0]);
    else if (rule->type == SWITCH && value != NULL)
        console_error("%s: found a value, wanted --%s alone", arguments[0], rule->name);
    else if (rule->type != SWITCH && value == NULL)
        console_error("%s: wanted a value behind it", arguments[0]);
    else if (read_value(options, rule, value))
        return 1 + is_behind;
    return 0;
}

bool options_read(struct options *options, int command, int argc, char **argv)
{
    bool options_ended = false;

    *options = options_default;
    options->operands = argv + 1; /* moved together, over options that have been read */
    for (int i = 1, count; i < argc; i += count) {
        count = 1;
        if (options_ended || argv[i][0] != '-' || argv[i][1] == '\0')
            options->operands[options->operand_count++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            options_ended = true;
        else
            count = read_option(options, command, argv + i);
        if (count == 0)
            return false;
    }
    return true;
}
