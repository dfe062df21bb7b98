/* SPDX-License-Identifier: MIT
 * An option is a row of `rules`: its type, its place in struct options, and what it may be.  Values
 * that depend on each other, or on files, are checked where they are used. */
#include "options.h"

#include "console.h"
#include "drawings.h"

#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct options options_default = {
    .size = UNSET,
    .flip_average = UNSET,
    .output = "cats-dogs.cnn",
    .checkpoint_minutes = 10,
    .network = "default",
    .schedule = "cosine",
    .class_weights = "none",
    .validation = 0.1,
    .test = UNSET,
    .accumulate = 1,
    .patience = UNSET,
    .predict_size = UNSET,
    .epochs = UNSET,
    .batch = UNSET,
    .learning_rate = UNSET,
    .weight_decay = UNSET,
    .ema = UNSET,
    .label_smoothing = UNSET,
    .flip = UNSET,
    .crop = UNSET,
    .rotation = UNSET,
    .translation = UNSET,
    .zoom = UNSET,
    .shear = UNSET,
    .color = UNSET,
    .saturation = UNSET,
    .hue = UNSET,
    .erase = UNSET,
    .mixup = UNSET,
    .cutmix = UNSET,
    .top = 1,
    .count = 2400,
    .kinds = FEWEST_KINDS,
};

/* A SWITCH is given alone; EITHER too, or with "no-" before its name. */
enum type { TEXT, WHOLE, REAL, STRENGTH, SWITCH, EITHER };

/* Room for any value as text; a longer path is none. */
enum { VALUE_SIZE = 4096, OPTION_SIZE = VALUE_SIZE + 64 };

static const struct rule {
    const char *name;
    int commands;
    enum type type;
    size_t place;
    double low, high; /* WHOLE, STRENGTH: both allowed; REAL: neither */
} rules[] = {
    {"output", FOR_TRAIN, TEXT, offsetof(struct options, output), 0, 0},
    {"report", FOR_TRAIN, TEXT, offsetof(struct options, report), 0, 0},
    {"output", FOR_REPORT, TEXT, offsetof(struct options, report), 0, 0},
    {"network", FOR_TRAIN, TEXT, offsetof(struct options, network), 0, 0},
    {"metrics", FOR_TRAIN, TEXT, offsetof(struct options, metrics), 0, 0},
    {"tensorboard", FOR_TRAIN, TEXT, offsetof(struct options, tensorboard), 0, 0},
    {"predict-size", FOR_TRAIN, WHOLE, offsetof(struct options, predict_size), 1, LARGEST_SIZE},
    {"size", FOR_TRAIN | FOR_CHECK, WHOLE, offsetof(struct options, size), 1, LARGEST_SIZE},
    {"epochs", FOR_TRAIN, WHOLE, offsetof(struct options, epochs), 1, 1e6},
    {"batch", FOR_TRAIN, WHOLE, offsetof(struct options, batch), 1, 4096},
    {"learning-rate", FOR_TRAIN, REAL, offsetof(struct options, learning_rate), 0, 1000},
    {"threads", FOR_TRAIN | FOR_CHECK, WHOLE, offsetof(struct options, threads), 1, 256},
    {"seed", FOR_TRAIN | FOR_DRAW, WHOLE, offsetof(struct options, seed), 0, 1e15},
    {"checkpoint", FOR_TRAIN, TEXT, offsetof(struct options, checkpoint), 0, 0},
    {"checkpoint-minutes", FOR_TRAIN, REAL, offsetof(struct options, checkpoint_minutes), 0, 1e6},
    {"resume", FOR_TRAIN, TEXT, offsetof(struct options, resume), 0, 0},
    {"validation", FOR_TRAIN, REAL, offsetof(struct options, validation), 0, 1},
    {"class-weights", FOR_TRAIN, TEXT, offsetof(struct options, class_weights), 0, 0},
    {"label-smoothing", FOR_TRAIN, STRENGTH, offsetof(struct options, label_smoothing), 0, 0.99},
    {"flip", FOR_TRAIN, STRENGTH, offsetof(struct options, flip), 0, 1},
    {"crop", FOR_TRAIN, STRENGTH, offsetof(struct options, crop), 0.01, 1},
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
    {"optimizer", FOR_TRAIN, TEXT, offsetof(struct options, optimizer), 0, 0},
    {"weight-decay", FOR_TRAIN, STRENGTH, offsetof(struct options, weight_decay), 0, 10},
    {"schedule", FOR_TRAIN, TEXT, offsetof(struct options, schedule), 0, 0},
    {"ema", FOR_TRAIN, STRENGTH, offsetof(struct options, ema), 0, 0.9999},
    {"accumulate", FOR_TRAIN, WHOLE, offsetof(struct options, accumulate), 1, 4096},
    {"patience", FOR_TRAIN, WHOLE, offsetof(struct options, patience), 1, 1e6},
    {"flip-average", FOR_TRAIN | FOR_EVALUATE | FOR_REPORT | FOR_PREDICT | FOR_CHECK, EITHER,
     offsetof(struct options, flip_average), 0, 0},
    {"quiet", FOR_TRAIN, SWITCH, offsetof(struct options, quiet), 0, 0},
    {"top", FOR_PREDICT, WHOLE, offsetof(struct options, top), 1, 1000},
    {"count", FOR_DRAW, WHOLE, offsetof(struct options, count), 4, 1e6},
    {"kinds", FOR_DRAW, WHOLE, offsetof(struct options, kinds), FEWEST_KINDS, MOST_KINDS},
    {"model", FOR_CHECK, TEXT, offsetof(struct options, model), 0, 0},
    {"all", FOR_CHECK, SWITCH, offsetof(struct options, all), 0, 0},
    {"help", FOR_TRAIN | FOR_EVALUATE | FOR_REPORT | FOR_PREDICT | FOR_DRAW | FOR_CHECK, SWITCH,
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

/* `text` is the value; of what has none, the option itself. */
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
    case EITHER: *(int64_t *)value = strncmp(text, "--no-", 5) != 0; return true;
    }
    return false;
}

static bool is_alone(const struct rule *rule)
{
    return rule->type == SWITCH || rule->type == EITHER;
}

/* Whether the first `length` bytes of `argument` are the option of `rule`. */
static bool is_named(const struct rule *rule, const char *argument, size_t length)
{
    const char *name =
        argument + (rule->type == EITHER && strncmp(argument, "--no-", 5) == 0 ? 5 : 2);
    const size_t size = strlen(rule->name);

    return strncmp(argument, "--", 2) == 0 && argument + length == name + size &&
           memcmp(name, rule->name, size) == 0;
}

/* The rule that `argument`, "--name" or "--name=value", follows, `length` bytes without the value;
 * NULL where the command has none.  Names are not abbreviated: a later option must not change what
 * a command line means. */
static const struct rule *find_rule(int command, const char *argument, size_t length)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if ((rules[i].commands & command) && is_named(&rules[i], argument, length))
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
    const bool is_behind = rule != NULL && !is_alone(rule) && value == NULL;

    if (is_behind)
        value = arguments[1]; /* NULL at the end, as in argv */
    if (rule == NULL)
        console_error("%s: no such option; see cats-dogs --help", arguments[0]);
    else if (is_alone(rule) && value != NULL)
        console_error("%s: found a value, wanted %.*s alone", arguments[0], (int)length,
                      arguments[0]);
    else if (!is_alone(rule) && value == NULL)
        console_error("%s: wanted a value behind it", arguments[0]);
    else if (read_value(options, rule, is_alone(rule) ? arguments[0] : value)) {
        options->given |= UINT64_C(1) << (rule - rules);
        return 1 + is_behind;
    }
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

/* ---- Options that a training is resumed with ------------------------------------------------ */

static bool is_one_of(const struct rule *rule, const char *const names[])
{
    for (; *names != NULL; names++) {
        if (strcmp(rule->name, *names) == 0)
            return true;
    }
    return false;
}

/* How and where to train, but not what; all other options of train are kept in checkpoints. */
static bool is_kept(const struct rule *rule)
{
    static const char *const passing[] = {"threads", "quiet", "help", "checkpoint", "resume", NULL};

    return (rule->commands & FOR_TRAIN) != 0 && !is_one_of(rule, passing);
}

/* Of those, what changes nothing in the model. */
static bool may_be_new(const struct rule *rule)
{
    static const char *const aside[] = {"report", "metrics", "tensorboard", "checkpoint-minutes",
                                        NULL};

    return is_one_of(rule, aside);
}

/* As few digits as read back as the same number. */
static void format_real(char *text, size_t size, double value)
{
    int digits = 6;

    do
        snprintf(text, size, "%.*g", digits, value);
    while (strtod(text, NULL) != value && ++digits <= 17);
}

/* The value as text, as it would be given, or the option itself where it is given alone; "" for
 * what is not there. */
static void format_value(char *text, size_t size, const struct rule *rule,
                         const struct options *options)
{
    const void *value = (const char *)options + rule->place;

    text[0] = '\0';
    switch (rule->type) {
    case TEXT:
        if (*(const char *const *)value != NULL)
            snprintf(text, size, "%s", *(const char *const *)value);
        break;
    case WHOLE:
        if (*(const int64_t *)value != UNSET)
            snprintf(text, size, "%lld", (long long)*(const int64_t *)value);
        break;
    case REAL:
    case STRENGTH:
        if (*(const double *)value != UNSET)
            format_real(text, size, *(const double *)value);
        break;
    case SWITCH:
        if (*(const bool *)value)
            snprintf(text, size, "--%s", rule->name);
        break;
    case EITHER:
        if (*(const int64_t *)value != UNSET)
            snprintf(text, size, "--%s%s", *(const int64_t *)value ? "" : "no-", rule->name);
        break;
    }
}

/* The option with its value, "--name" or "--name value", with `separator` in between. */
static void format_option(char *text, size_t size, const struct rule *rule,
                          const struct options *options, char separator)
{
    char value[VALUE_SIZE];

    format_value(value, sizeof value, rule, options);
    if (is_alone(rule))
        snprintf(text, size, "%s", value);
    else
        snprintf(text, size, "--%s%c%s", rule->name, separator, value);
}

static bool same_value(const struct rule *rule, const struct options *a, const struct options *b)
{
    char of_a[VALUE_SIZE], of_b[VALUE_SIZE];

    format_value(of_a, sizeof of_a, rule, a);
    format_value(of_b, sizeof of_b, rule, b);
    return strcmp(of_a, of_b) == 0;
}

bool options_list(const struct options *options, bool (*put)(void *user, const char *argument),
                  void *user)
{
    char argument[OPTION_SIZE];

    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];
        if (!is_kept(rule) || same_value(rule, options, &options_default))
            continue;
        format_option(argument, sizeof argument, rule, options, '=');
        if (!put(user, argument))
            return false;
    }
    return true;
}

static void take_value(struct options *options, const struct rule *rule,
                       const struct options *saved)
{
    static const size_t sizes[] = {
        [TEXT] = sizeof(const char *), [WHOLE] = sizeof(int64_t), [REAL] = sizeof(double),
        [STRENGTH] = sizeof(double),   [SWITCH] = sizeof(bool),   [EITHER] = sizeof(int64_t)};

    memcpy((char *)options + rule->place, (const char *)saved + rule->place, sizes[rule->type]);
}

static void complain(const struct rule *rule, const struct options *options,
                     const struct options *saved, const char *name)
{
    char given[OPTION_SIZE], kept[VALUE_SIZE];

    format_option(given, sizeof given, rule, options, ' ');
    format_value(kept, sizeof kept, rule, saved);
    console_error("%s: the training in %s has %s, wanted that or nothing", given, name,
                  kept[0] != '\0' ? kept : "nothing");
}

bool options_continue(struct options *options, const struct options *saved, const char *name)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        const struct rule *rule = &rules[i];
        const bool is_given = (options->given >> i & 1) != 0;
        if (!is_kept(rule) || (is_given && may_be_new(rule)))
            continue;
        if (is_given && !same_value(rule, options, saved)) {
            complain(rule, options, saved, name);
            return false;
        }
        take_value(options, rule, saved);
    }
    if (options->operand_count == 0) {
        options->operands = saved->operands;
        options->operand_count = saved->operand_count;
    }
    return true;
}
