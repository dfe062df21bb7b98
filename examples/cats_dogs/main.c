/* SPDX-License-Identifier: MIT
 * cats-dogs: trains a classifier from folders of pictures, measures it, and uses it.
 *
 * Despite its name it takes pictures of whatever there is, in any two or more classes.  It uses
 * nothing of the library but cnn.h.
 * Next: train.c, the main job. */
#include "command_line.h"
#include "commands.h"
#include "console.h"
#include "help.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct command {
    const char *name;
    int option_group;
    int fewest, most; /* operands */
    const char *operands;
    const char *purpose;
    const char *help;
    int (*run)(const struct options *options);
} commands[] = {
    {"train", FOR_TRAIN, 0, 1, "[DATA]", "train a network on folders of pictures", help_train,
     command_train},
    {"evaluate", FOR_EVALUATE, 2, 2, "MODEL DATA", "measure it on pictures whose class is known",
     help_evaluate, command_evaluate},
    {"report", FOR_REPORT, 2, 2, "MODEL DATA", "the same as a page with pictures", help_report,
     command_report},
    {"predict", FOR_PREDICT, 2, 1 << 30, "MODEL IMAGE...", "tell the class of pictures",
     help_predict, command_predict},
    {"check", FOR_CHECK, 1, 1, "DATA", "find what is wrong with the pictures", help_check,
     command_check},
    {"draw", FOR_DRAW, 1, 1, "FOLDER", "draw animals to train on", help_draw, command_draw},
};

/* ---- Help ---------------------------------------------------------------------------------- */

static void print_usage(const struct command *command)
{
    printf("  cats-dogs %-8s  %-14s  [OPTION]...  %s\n", command->name, command->operands,
           command->purpose);
}

static void print_help(const struct command *command)
{
    puts("Usage:");
    print_usage(command);
    putchar('\n');
    if (strstr(command->operands, "DATA") != NULL)
        puts(help_data);
    fputs(command->help, stdout);
}

static void print_all_help(void)
{
    puts("Usage:");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        print_usage(&commands[i]);
    puts("  cats-dogs --help | --version | COMMAND --help\n");
    fputs(help_data, stdout);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        printf("\n%s", commands[i].help);
    puts("\nExit status: 0 all went well, 1 predict could not read some pictures or check found "
         "something,\n2 anything else.");
}

/* ---- Commands ------------------------------------------------------------------------------ */

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run_command(const struct command *command, const char *text, int argc, char **argv)
{
    struct options options;

    if (!options_read(&options, command->option_group, argc, argv))
        return EXIT_ERROR;
    options.command = text;
    if (options.help) {
        print_help(command);
        return EXIT_FINE;
    }
    if (options.operand_count < command->fewest || options.operand_count > command->most) {
        console_error("%s: found %d operand%s, wanted %s; see cats-dogs --help", command->name,
                      options.operand_count, options.operand_count == 1 ? "" : "s",
                      command->operands);
        return EXIT_ERROR;
    }
    return command->run(&options);
}

static int run(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "";
    const struct command *command = find_command(first);

    if (command != NULL) {
        char *text = command_line_text(argc, argv);
        if (text == NULL)
            console_error("no memory for the command line");
        const int status =
            text != NULL ? run_command(command, text, argc - 1, argv + 1) : EXIT_ERROR;
        free(text);
        return status;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        print_all_help();
        return EXIT_FINE;
    }
    if (strcmp(first, "--version") == 0) {
        console_line("cats-dogs %s", cnn_version_string());
        return EXIT_FINE;
    }
    console_error(
        "%s%s; wanted train, evaluate, report, predict, check or draw: see cats-dogs --help",
        argc > 1 ? first : "no command", argc > 1 ? ": no such command" : "");
    return EXIT_ERROR;
}

int main(int argc, char **argv)
{
    const int status = run(argc, argv);

    return console_finish() ? status : EXIT_ERROR;
}
