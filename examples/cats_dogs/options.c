/* SPDX-License-Identifier: MIT
 * An option is a row of `rules`: its type, its place in struct options, and what it may be.  Values
 * that depend on each other, or on files, are checked where they are used. */
#include "options.h"

#include "console.h"
#include "drawings.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

const struct options options_default = {
    .output = "cats-dogs.cnn",
    .network = "default",
    .count = 2400,
    .kinds = FEWEST_KINDS,
    .validation = 0.1,
    .test = 0.1,
    .class_weights = "none",
    .label_smoothing = -1,
    .rotation = -1,
    .translation = -1,
    .zoom = -1,
    .shear = -1,
    .color = -1,
    .saturation = -1,
    .hue = -1,
    .erase = -1,
    .mixup = -1,
    .cutmix = -1,
};

enum type { TEXT, WHOLE, REAL, STRENGTH, SWITCH };

static const struct rule {
    const char *name;
    int commands;
    enum type type;
    size_t place;
    double low, high; /* WHOLE, STRENGTH: both allowed; REAL: neither */
} rules[] = {
    {"output", FOR_TRAIN, TEXT, offsetof(struct options, output), 0, 0},
    {"network", FOR_TRAIN, TEXT, offsetof(struct options, network), 0, 0},
    {"metrics", FOR_TRAIN, TEXT, offsetof(struct options, metrics), 0, 0},
    {"tensorboard", FOR_TRAIN, TEXT, offsetof(struct options, tensorboard), 0, 0},
    {"size", FOR_TRAIN, WHOLE, offsetof(struct options, size), 1, 4096},
    {"epochs", FOR_TRAIN, WHOLE, offsetof(struct options, epochs), 1, 1e6},
    {"batch", FOR_TRAIN, WHOLE, offsetof(struct options, batch), 1, 4096},
    {"learning-rate", FOR_TRAIN, REAL, offsetof(struct options, learning_rate), 0, 1000},
    {"threads", FOR_TRAIN, WHOLE, offsetof(struct options, threads), 1, 256},
    {"seed", FOR_TRAIN | FOR_DRAW, WHOLE, offsetof(struct options, seed), 0, 1e15},
    {"validation", FOR_TRAIN, REAL, offsetof(struct options, validation), 0, 1},
    {"class-weights", FOR_TRAIN, TEXT, offsetof(struct options, class_weights), 0, 0},
    {"label-smoothing", FOR_TRAIN, STRENGTH, offsetof(struct options, label_smoothing), 0, 0.99},
    {"rotation", FOR_TRAIN, STRENGTH, offsetof(struct options, rotation), 0, 180},
    {"translation", FOR_TRAIN, STRENGTH, offsetof(struct options, translation), 0, 1},
    {"zoom", FOR_TRAIN, STRENGTH, offsetof(struct options, zoom), 0, 1},
    {"shear", FOR_TRAIN, STRENGTH, offsetof(struct options, shear), 0, 60},
    {"color", FOR_TRAIN, STRENGTH, offsetof(struct options, color), 0, 1},
    {"saturation", FOR_TRAIN, STRENGTH, offsetof(struct options, saturation), 0, 1},
    {"hue", FOR_TRAIN, STRENGTH, offsetof(struct options, hue), 0, 180},
    {"erase", FOR_TRAIN, STRENGTH, offsetof(struct options, erase), 0, 1},
    {"mixup", FOR_TRAIN, STRENGTH, offsetof(struct options, mixup), 0, 1000},
    {"cutmix", FOR_TRAIN, STRENGTH, offsetof(struct options, cutmix), 0, 1000},
    {"test", FOR_TRAIN, STRENGTH, offsetof(struct options, test), 0, 0.99},
    {"quiet", FOR_TRAIN, SWITCH, offsetof(struct options, quiet), 0, 0},
    {"count", FOR_DRAW, WHOLE, offsetof(struct options, count), 4, 1e6},
    {"kinds", FOR_DRAW, WHOLE, offsetof(struct options, kinds), FEWEST_KINDS, MOST_KINDS},
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

static bool read_strength(double *value, const struct rule *rule, const char *text)
{
    char *end;
    const double number = strtod(text, &end);

    if (end != text && *end == '\0' && number >= rule->low && number <= rule->high) {
        *value = number;
        return true;
    }
    console_error("--%s %s: wanted a number from %g to %g", rule->name, text, rule->low,
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
    case STRENGTH: return read_strength(value, rule, text);
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
