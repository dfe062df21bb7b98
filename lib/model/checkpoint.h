/* SPDX-License-Identifier: MIT
 * What the files about checkpoints share: checkpoint.c writes them, checkpoint_resume.c reads them,
 * checkpoint_settings.c compares what must be the same.  The text "cnn.checkpoint":
 *
 *     {"format":1,"library":"0.1.0","note":"...",
 *      "settings":{"trainer":{...},"optimizer":{...},"loader":{...}},
 *      "numbers":{"trainer.passes":7,...}}
 *
 * The arrays beside the parameters are the file's tensors behind those of the model, named
 * "conv2d1.weight/optimizer.average1"; the graph's text has all checksums. */
#ifndef CNNI_CHECKPOINT_H
#define CNNI_CHECKPOINT_H

#include "cnn/checkpoint.h"
#include "model/model_file.h"
#include "model/trainer_internal.h"

/* The number "format": grows with every change that an older version would misunderstand. */
enum { CNNI_CHECKPOINT_FORMAT = 1 };

/* Adds all that a training over `loader` is made of, which is at `place`, to a table. */
void cnni_trainer_list_state(cnn_trainer *trainer, struct cnni_place *place,
                             const cnn_loader *loader, struct cnni_state *state);

/* Writes the settings; compares those of a file, and the network, and names a difference. */
cnn_status cnni_checkpoint_put_settings(struct cnni_json_writer *json, const cnn_trainer *trainer,
                                        const cnn_loader *loader);
cnn_status cnni_checkpoint_compare_settings(struct cnni_json *json,
                                            const struct cnni_source *source,
                                            const cnn_trainer *trainer, const cnn_loader *loader);
cnn_status cnni_checkpoint_compare_network(const struct cnni_safetensors *file,
                                           const cnn_trainer *trainer);

/* For cnn_trainer_fit(): as it begins; after a step or epoch, where `epoch` is over or enough time
 * has passed; and as it stops early. */
void cnni_checkpoint_begin(cnn_trainer *trainer);
void cnni_checkpoint_between(cnn_trainer *trainer, bool epoch);
void cnni_checkpoint_stopped(cnn_trainer *trainer);

#endif
