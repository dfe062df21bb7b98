/* SPDX-License-Identifier: MIT
 * cats-dogs: trains a classifier from folders of pictures, measures it, and uses it.
 *
 * Despite its name it takes any two or more classes.  It uses nothing of the library but cnn.h.
 * Next: train.c, the main job. */
#include "commands.h"
#include "console.h"

#include <stdio.h>
#include <string.h>

static const struct command {
    const char *name;
    int option_group;
    int fewest, most; /* operands */
    const char *operands;
    int (*run)(const struct options *options);
} commands[] = {
    {"train", FOR_TRAIN, 0, 1, "[DATA]", command_train},
    {"evaluate", FOR_EVALUATE, 2, 2, "MODEL DATA", command_evaluate},
    {"predict", FOR_PREDICT, 2, 1 << 30, "MODEL IMAGE...", command_predict},
    {"draw", FOR_DRAW, 1, 1, "FOLDER", command_draw},
};

static const char help[] =
    "Usage:\n"
    "  cats-dogs train [DATA] [OPTION]...    train a network on folders of pictures\n"
    "  cats-dogs evaluate MODEL DATA         measure it on pictures whose class is known\n"
    "  cats-dogs predict MODEL IMAGE...      tell the class of pictures\n"
    "  cats-dogs draw FOLDER [OPTION]...     draw cats and dogs to train on\n"
    "  cats-dogs --help | --version\n"
    "\n"
    "DATA is a folder with one folder of JPEGs and PNGs per class, or with the folders train and\n"
    "test of such.  Without DATA, train draws pictures of its own.\n"
    "\n"
    "Options of train:\n"
    "  --output FILE          where the best model is kept (cats-dogs.cnn)\n"
    "  --network NAME         classic or default (default)\n"
    "  --size N               pictures are resized to N x N pixels\n"
    "  --epochs N             passes over all pictures\n"
    "  --batch N              pictures in a training step\n"
    "  --learning-rate X      the highest rate of the schedule\n"
    "  --threads N            1 to 256 (all processors)\n"
    "  --seed N               of weights, split, order and drawings (0)\n"
    "  --validation FRACTION  of the training pictures, to choose the best model on (0.1)\n"
    "  --schedule NAME        of the learning rate: cosine or one-cycle (cosine)\n"
    "  --ema DECAY            average the weights over the steps, for instance 0.999\n"
    "  --accumulate N         batches that make one training step (1)\n"
    "  --patience N           end after N epochs without a better one\n"
    "  --flip-average         validate and test on pictures and their mirror images\n"
    "  --quiet                only the result on the test pictures\n"
    "Size, epochs, batch and learning rate depend on the network unless they are given.\n"
    "\n"
    "Option of evaluate and predict:\n"
    "  --flip-average         average over each picture and its mirror image\n"
    "\n"
    "Options of draw:\n"
    "  --count N              pictures for training; a sixth as many more for testing (2400)\n"
    "  --seed N               other seeds, other animals (0)\n"
    "\n"
    "Exit status: 0 all went well, 1 predict could not read some pictures, 2 anything else.\n";

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct options options;

    if (!options_read(&options, command->option_group, argc, argv))
        return EXIT_ERROR;
    if (options.help) {
        fputs(help, stdout);
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

    if (command != NULL)
        return run_command(command, argc - 1, argv + 1);
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        fputs(help, stdout);
        return EXIT_FINE;
    }
    if (strcmp(first, "--version") == 0) {
        console_line("cats-dogs %s", cnn_version_string());
        return EXIT_FINE;
    }
    console_error("%s%s; wanted train, evaluate, predict or draw: see cats-dogs --help",
                  argc > 1 ? first : "no command", argc > 1 ? ": no such command" : "");
    return EXIT_ERROR;
}

int main(int argc, char **argv)
{
    const int status = run(argc, argv);

    return console_finish() ? status : EXIT_ERROR;
}
