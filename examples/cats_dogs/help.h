/* SPDX-License-Identifier: MIT
 * What --help says of each command, and of the folder DATA that most of them take. */
#ifndef HELP_H
#define HELP_H

extern const char help_data[], help_train[], help_evaluate[], help_report[], help_predict[],
    help_check[], help_draw[];

#endif
