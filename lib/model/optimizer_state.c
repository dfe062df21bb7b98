/* SPDX-License-Identifier: MIT
 * Optimizers in checkpoints: what is kept, and what must be the same. */
#include "model/optimizer.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

void cnni_optimizer_begin(cnn_optimizer *optimizer)
{
    optimizer->begun.rate = optimizer->schedule.base;
    optimizer->begun.weight_decay = optimizer->weight_decay;
    optimizer->begun.clip_norm = optimizer->clip_norm;
    optimizer->begun.spares_vectors = optimizer->spares_vectors;
}

/* What may change between steps is state: the training goes on with what it had last. */
static void list_numbers(cnn_optimizer *optimizer, struct cnni_state *state)
{
    const struct {
        const char *name;
        double *place;
    } reals[] = {
        {"optimizer.learning_rate", &optimizer->schedule.base},
        {"optimizer.weight_decay", &optimizer->weight_decay},
        {"optimizer.clip_norm", &optimizer->clip_norm},
        {"optimizer.begun.learning_rate", &optimizer->begun.rate},
        {"optimizer.begun.weight_decay", &optimizer->begun.weight_decay},
        {"optimizer.begun.clip_norm", &optimizer->begun.clip_norm},
    };
    cnni_state_number(state, "optimizer.steps", CNNI_NUMBER_ATOMIC, &optimizer->steps, 0, 0x1p55);
    for (int32_t i = 0; i < CNNI_COUNT(reals); i++)
        cnni_state_number(state, reals[i].name, CNNI_NUMBER_REAL, reals[i].place, 0, DBL_MAX);
    cnni_state_number(state, "optimizer.spares_vectors", CNNI_NUMBER_INT32,
                      &optimizer->spares_vectors, 0, 1);
    cnni_state_number(state, "optimizer.begun.spares_vectors", CNNI_NUMBER_INT32,
                      &optimizer->begun.spares_vectors, 0, 1);
}

/* SGD without momentum has its average, and leaves it alone. */
static int32_t averages_in_use(const cnn_optimizer *optimizer)
{
    bool still = optimizer->class == &cnni_sgd_class && optimizer->momentum == 0 &&
                 optimizer->schedule.highest_momentum == 0;
    return still ? 0 : optimizer->class->averages;
}

void cnni_optimizer_list_state(cnn_optimizer *optimizer, struct cnni_state *state)
{
    static const char *const kinds[CNNI_MOST_AVERAGES] = {"optimizer.average1",
                                                          "optimizer.average2"};
    char name[32];
    list_numbers(optimizer, state);
    for (int32_t i = 0; i < optimizer->model->parameter_count; i++) {
        snprintf(name, sizeof name, "moving%d.steps", i);
        cnni_state_number(state, name, CNNI_NUMBER_INT64, &optimizer->moving[i].steps, 0, 0x1p55);
        for (int32_t j = 0; j < averages_in_use(optimizer); j++)
            cnni_state_array(state, optimizer->model->parameter_names[i], kinds[j],
                             optimizer->moving[i].parameter, optimizer->moving[i].averages[j]);
    }
}

/* What changes is compared as it was at the first step. */
void cnni_optimizer_put_settings(const cnn_optimizer *optimizer, struct cnni_json_writer *json)
{
    const struct cnni_schedule *schedule = &optimizer->schedule;
    const bool fresh = optimizer->steps == 0;
    const struct {
        const char *name;
        double value;
    } settings[] = {
        {"learning_rate", fresh ? schedule->base : optimizer->begun.rate},
        {"weight_decay", fresh ? optimizer->weight_decay : optimizer->begun.weight_decay},
        {"clip_norm", fresh ? optimizer->clip_norm : optimizer->begun.clip_norm},
        {"momentum", optimizer->momentum},
        {"nesterov", optimizer->nesterov},
        {"beta1", optimizer->beta1},
        {"beta2", optimizer->beta2},
        {"epsilon", optimizer->epsilon},
        {"schedule", schedule->kind},
        {"schedule_steps", (double)schedule->steps},
        {"schedule_factor", schedule->factor},
        {"final_rate", schedule->final_rate},
        {"rise", schedule->rise},
        {"start_divisor", schedule->start_divisor},
        {"final_divisor", schedule->final_divisor},
        {"lowest_momentum", schedule->lowest_momentum},
        {"highest_momentum", schedule->highest_momentum},
        {"warmup", (double)schedule->warmup},
        {"spares_vectors", fresh ? optimizer->spares_vectors : optimizer->begun.spares_vectors},
    };
    cnni_json_open(json, '{');
    cnni_json_put_key(json, "kind");
    cnni_json_put_text(json, optimizer->class->name, strlen(optimizer->class->name));
    for (int32_t i = 0; i < CNNI_COUNT(settings); i++) {
        cnni_json_put_key(json, settings[i].name);
        cnni_json_put_real(json, settings[i].value);
    }
    cnni_json_close(json, '}');
}
