/* SPDX-License-Identifier: MIT
 * cats-dogs: trains a classifier from folders of pictures, measures it, and uses it.
 *
 * Despite its name it takes pictures of whatever there is, in any two or more classes.  It uses
 * nothing of the library but cnn.h.
 * Next: train.c, the main job. */
#include "command_line.h"
#include "commands.h"
#include "console.h"

#include <stdio.h>
#include <stdlib.h>
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
    {"report", FOR_REPORT, 2, 2, "MODEL DATA", command_report},
    {"predict", FOR_PREDICT, 2, 1 << 30, "MODEL IMAGE...", command_predict},
    {"check", FOR_CHECK, 1, 1, "DATA", command_check},
    {"draw", FOR_DRAW, 1, 1, "FOLDER", command_draw},
};

static const char help[] =
    "Usage:\n"
    "  cats-dogs train [DATA] [OPTION]...    train a network on folders of pictures\n"
    "  cats-dogs evaluate MODEL DATA         measure it on pictures whose class is known\n"
    "  cats-dogs report MODEL DATA           the same as a page with pictures\n"
    "  cats-dogs predict MODEL IMAGE...      tell the class of pictures\n"
    "  cats-dogs check DATA [OPTION]...      find what is wrong with the pictures\n"
    "  cats-dogs draw FOLDER [OPTION]...     draw animals to train on\n"
    "  cats-dogs --help | --version\n"
    "\n"
    "DATA is a folder with one folder of JPEGs and PNGs per class, or with the folders train and\n"
    "test of such.  Without DATA, train draws pictures of its own.  Any two or more classes will "
    "do.\n"
    "\n"
    "Options of train:\n"
    "  --output FILE          where the best model is kept (cats-dogs.cnn)\n"
    "  --network NAME         classic, default, resnet, vgg, resnet18 or mobilenet_v2 (default)\n"
    "  --size N               pictures are resized to N x N pixels\n"
    "  --predict-size N       the same for the finished model; more than --size is often better\n"
    "  --epochs N             passes over all pictures\n"
    "  --batch N              pictures in a training step\n"
    "  --learning-rate X      the highest rate of the schedule\n"
    "  --threads N            1 to 256 (all processors)\n"
    "  --seed N               of weights, split, order and drawings (0)\n"
    "  --checkpoint FILE      where the training is kept, to go on from\n"
    "  --checkpoint-minutes N after each epoch, and every N minutes of it (10)\n"
    "  --resume FILE          go on from there, with the options and DATA of then\n"
    "  --validation FRACTION  of the training pictures, to choose the best model on (0.1)\n"
    "  --class-weights NAME   balanced: all classes count the same; none (none)\n"
    "  --label-smoothing X    share of each target that is spread over all classes\n"
    "  --test FRACTION        of the pictures, to test on where there is no test folder (0.1)\n"
    "  --metrics FILE         adds a line of JSON for each step and each epoch\n"
    "  --tensorboard FOLDER   writes an event file for TensorBoard\n"
    "  --report FILE          writes a page about the training: curves, mistakes, heat maps\n"
    "  --optimizer NAME       adamw or sgd, with Nesterov's momentum\n"
    "  --weight-decay X       up to 10\n"
    "  --schedule NAME        of the learning rate: cosine or one-cycle (cosine)\n"
    "  --ema DECAY            average the weights over the steps, for instance 0.999\n"
    "  --accumulate N         batches that make one training step (1)\n"
    "  --patience N           end after N epochs without a better one\n"
    "  --flip-average         validate and test on pictures and their mirror images\n"
    "  --quiet                only the result on the test pictures\n"
    "Random changes of the training pictures; 0 is none:\n"
    "  --rotation DEGREES     turns, up to 180\n"
    "  --translation SHARE    moves, up to 1, a whole side\n"
    "  --zoom X               sizes from 1 / (1 + X) to 1 + X, up to 1\n"
    "  --shear DEGREES        slants, up to 60\n"
    "  --color X              brightness and contrast from 1 - X to 1 + X, up to 1\n"
    "  --saturation X         saturation from 1 - X to 1 + X, up to 1\n"
    "  --hue DEGREES          turns of the hue, up to 180\n"
    "  --erase PROBABILITY    of a hole in a picture\n"
    "  --mixup ALPHA          mixtures of two pictures; usual is 0.2\n"
    "  --cutmix ALPHA         pictures with a part of another; usual is 1\n"
    "Whatever has no default here depends on the network unless it is given.\n"
    "\n"
    "Options of report:\n"
    "  --output FILE          where the page is written (report.html)\n"
    "\n"
    "Option of evaluate, report and predict:\n"
    "  --flip-average         average over each picture and its mirror image\n"
    "\n"
    "Options of check:\n"
    "  --model FILE           look for pictures that the model takes for another class, too\n"
    "  --size N               pictures with a shorter side are tiny (64)\n"
    "  --threads N            1 to 256 (all processors)\n"
    "  --all                  all findings, not only the first ten of each kind\n"
    "\n"
    "Options of draw:\n"
    "  --count N              pictures for training; a sixth as many more for testing (2400)\n"
    "  --kinds N              2: cats and dogs; 3: rabbits too (2)\n"
    "  --seed N               other seeds, other animals (0)\n"
    "\n"
    "Exit status: 0 all went well, 1 predict could not read some pictures or check found "
    "something,\n2 anything else.\n";

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
        fputs(help, stdout);
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
