/* SPDX-License-Identifier: MIT
 * The texts of --help.  Where an option has a value of its own when it is not given, that stands in
 * parentheses. */
#include "help.h"

const char help_data[] =
    "DATA is a folder with one folder of JPEGs and PNGs per class, or with the folders train, val\n"
    "and test of such.  Any two or more classes will do.\n";

const char help_train[] =
    "Without DATA train draws pictures of its own.  For val and test it takes pictures of train "
    "where\n"
    "there are no folders of theirs; with val and without test it measures on val.\n"
    "\n"
    "Options of train:\n"
    "  --output FILE          where the best model is kept (cats-dogs.cnn)\n"
    "  --network NAME         classic, default, resnet, vgg, resnet18 or mobilenet_v2 (default)\n"
    "  --threads N            1 to 256 (all processors)\n"
    "  --seed N               of weights, split, order and drawings (0)\n"
    "  --validation FRACTION  of the training pictures, to choose the best model on where there "
    "is\n"
    "                         no val folder (0.1)\n"
    "  --test FRACTION        of the pictures, to test on where there is no test folder (0.1; "
    "with\n"
    "                         a val folder 0)\n"
    "  --class-weights NAME   balanced: all classes count the same; none (none)\n"
    "  --schedule NAME        of the learning rate: cosine or one-cycle (cosine)\n"
    "  --accumulate N         batches that make one training step (1)\n"
    "  --patience N           end after N epochs without a better one (never)\n"
    "  --checkpoint FILE      where the training is kept, to go on from (nowhere)\n"
    "  --checkpoint-minutes N after each epoch, and every N minutes of it (10)\n"
    "  --resume FILE          go on from there, with the options and DATA of then\n"
    "  --report FILE          writes a page about the training: curves, mistakes, heat maps\n"
    "  --metrics FILE         adds a line of JSON for each step and each epoch\n"
    "  --tensorboard FOLDER   writes an event file for TensorBoard\n"
    "  --quiet                only the result\n"
    "What depends on the network unless it is given:\n"
    "  --size N               pictures are resized to N x N pixels\n"
    "  --predict-size N       the same for the finished model; more than --size is often better\n"
    "                         where random crops show things larger than they are\n"
    "  --epochs N             passes over all pictures\n"
    "  --batch N              pictures in a training step\n"
    "  --optimizer NAME       adamw or sgd, with Nesterov's momentum; for one that is not the\n"
    "                         network's own, the next two are the optimizer's\n"
    "  --learning-rate X      the highest rate of the schedule\n"
    "  --weight-decay X       up to 10\n"
    "  --ema DECAY            average the weights over the steps, for instance 0.999\n"
    "  --label-smoothing X    share of each target that is spread over all classes\n"
    "  --flip-average         validate and test on pictures and their mirror images\n"
    "  --no-flip-average      on pictures alone; so it is by itself with --flip 0\n"
    "and random changes of the training pictures; 0, of crop 1, is none:\n"
    "  --flip PROBABILITY     of a mirror image; 0 where left and right matter, as of letters\n"
    "  --crop SHARE           of a picture's area that is left at least, from 0.01\n"
    "  --rotation DEGREES     turns, up to 180\n"
    "  --translation SHARE    moves, up to 1, a whole side\n"
    "  --zoom X               sizes from 1 / (1 + X) to 1 + X, up to 1\n"
    "  --shear DEGREES        slants, up to 60\n"
    "  --color X              brightness and contrast from 1 - X to 1 + X, up to 1\n"
    "  --saturation X         saturation from 1 - X to 1 + X, up to 1\n"
    "  --hue DEGREES          turns of the hue, up to 180\n"
    "  --erase PROBABILITY    of a hole in a picture\n"
    "  --mixup ALPHA          mixtures of two pictures; usual is 0.2\n"
    "  --cutmix ALPHA         pictures with a part of another; usual is 1\n";

const char help_evaluate[] =
    "evaluate takes the pictures of test; where there is no such folder those of val, or else "
    "all.\n"
    "\n"
    "Option of evaluate:\n"
    "  --flip-average         average over each picture and its mirror image, as train does with\n"
    "                         some networks and then says; a model does not know (not)\n";

const char help_report[] = "report takes the pictures that evaluate takes.\n"
                           "\n"
                           "Options of report:\n"
                           "  --output FILE          where the page is written (report.html)\n"
                           "  --flip-average         as of evaluate\n";

const char help_predict[] =
    "predict prints a line per picture: path, class and probability, with tabs in between.\n"
    "\n"
    "Options of predict:\n"
    "  --top N                the N most probable classes, on the same line (1)\n"
    "  --flip-average         average over each picture and its mirror image (not)\n";

const char help_check[] =
    "Options of check:\n"
    "  --model FILE           look for pictures that the model takes for another class, too\n"
    "  --no-flip-average      ask it about each picture alone, not about its mirror image\n"
    "  --size N               pictures with a shorter side are tiny (64)\n"
    "  --threads N            1 to 256 (all processors)\n"
    "  --all                  all findings, not only the first ten of each kind\n";

const char help_draw[] =
    "Options of draw:\n"
    "  --count N              pictures for training; a sixth as many more for testing (2400)\n"
    "  --kinds N              2: cats and dogs; 3: rabbits too (2)\n"
    "  --seed N               other seeds, other animals (0)\n";
