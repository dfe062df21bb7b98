/* SPDX-License-Identifier: MIT
 * Galleries, heat maps and filters.  A picture that has become unreadable meanwhile is left out;
 * for one that there is no memory for, there is to be no page. */
#include "report_pictures.h"

#include "console.h"
#include "html.h"
#include "thumbnail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One picture --------------------------------------------------------------------------- */

/* Whether the page can go on: what is left out for another reason than memory is told. */
static bool may_go_on(cnn_status status)
{
    if (status == CNN_ERROR_MEMORY)
        return false;
    console_succeeded(status);
    return true;
}

/* "cats/cat.12.jpg": its folder, which is its class, and its file. */
static const char *short_path(const char *path)
{
    const char *file = strrchr(path, '/');

    while (file != NULL && file > path && file[-1] != '/')
        file--;
    return file != NULL ? file : path;
}

/* "said dogs" at the left, "97 %" at the right; tenths where they make a difference. */
static void put_class(FILE *page, const char *class, const char *before, const char *name,
                      float probability)
{
    fprintf(page, "<span class=\"%s\"><em>%s <b>", class, before);
    html_text_short(page, name, 24);
    fprintf(page, "</b></em><i>%.*f %%</i></span>\n", probability > 0.99f || probability < 0.01f,
            100 * (double)probability);
}

/* What it is taken for, and, if that is wrong, what it is. */
static void put_caption(FILE *page, const struct answers *answers, const struct answer *answer,
                        const cnn_model *model)
{
    const bool is_right = answer->predicted == answer->actual;
    const char *path = short_path(answer_path(answers, answer));

    fputs("<figcaption>", page);
    put_class(page, is_right ? "good" : "bad", is_right ? "is" : "said",
              cnn_model_class_name(model, answer->predicted), answer->predicted_probability);
    if (!is_right)
        put_class(page, "truth", "is", cnn_model_class_name(model, answer->actual),
                  answer->actual_probability);
    fputs("<span class=\"file\"", page);
    html_attribute(page, "title", path);
    fputs(">", page);
    html_text_short(page, path, 40);
    fputs("</span>\n</figcaption>\n", page);
}

/* ---- Galleries ----------------------------------------------------------------------------- */

enum { GALLERY = 24 };

static cnn_status put_picture(FILE *page, const struct answers *answers,
                              const struct answer *answer, const cnn_model *model,
                              cnn_context *context)
{
    cnn_tensor *thumbnail = NULL;
    cnn_status status = thumbnail_load(&thumbnail, context, answer_path(answers, answer));

    if (status == CNN_OK) {
        fputs("<figure>\n<div class=\"frame\">", page);
        status = thumbnail_write(page, thumbnail, cnn_model_class_name(model, answer->actual));
        fputs("</div>\n", page);
        put_caption(page, answers, answer, model);
        fputs("</figure>\n", page);
    }
    cnn_tensor_free(thumbnail);
    return status;
}

bool pictures_gallery(FILE *page, const struct answers *answers, struct predictor *predictor,
                      const struct answer_order *order)
{
    int64_t count = 0;
    const struct answer **sorted = answers_sorted(&count, answers, order);
    bool done = sorted != NULL;

    if (done && count == 0)
        html_element(page, "p class=\"soft\"", "There are none.");
    fputs("<div class=\"gallery\">\n", page);
    for (int64_t i = 0; done && i < count && i < GALLERY; i++)
        done =
            may_go_on(put_picture(page, answers, sorted[i], predictor->model, predictor->context));
    fputs("</div>\n", page);
    free(sorted);
    return done;
}

/* ---- Heat maps ----------------------------------------------------------------------------- */

enum { HEAT_RIGHT = 6, HEAT_WRONG = 6 };

/* What speaks for one class, over the picture that is in the predictor's input. */
static cnn_status put_heat(FILE *page, struct predictor *predictor, const cnn_tensor *thumbnail,
                           int32_t class)
{
    const char *name = cnn_model_class_name(predictor->model, class);
    cnn_tensor *map = NULL;
    cnn_tensor *heat = NULL;
    cnn_status status = cnn_model_heat_map(&map, predictor->model, predictor->input, class, -1);

    if (status == CNN_OK)
        status = thumbnail_heat(&heat, predictor->context, thumbnail, map);
    if (status == CNN_OK) {
        fputs("<div><div class=\"frame\">", page);
        status = thumbnail_write(page, heat, "heat map");
        fputs("</div><span class=\"for\">for <b>", page);
        html_text_short(page, name, 24);
        fputs("</b></span></div>\n", page);
    }
    cnn_tensor_free(heat);
    cnn_tensor_free(map);
    return status;
}

/* What speaks for the predicted class, and what for the actual one or, where that is the same, for
 * the second. */
static cnn_status put_heats(FILE *page, struct predictor *predictor, const struct answer *answer,
                            const cnn_tensor *thumbnail)
{
    const int32_t other = answer->predicted == answer->actual ? answer->second : answer->actual;
    const cnn_status status = put_heat(page, predictor, thumbnail, answer->predicted);

    return status == CNN_OK ? put_heat(page, predictor, thumbnail, other) : status;
}

/* The picture, and beside it what speaks for two classes. */
static cnn_status put_heat_card(FILE *page, const struct answers *answers,
                                const struct answer *answer, struct predictor *predictor)
{
    const char *path = answer_path(answers, answer);
    cnn_tensor *thumbnail = NULL;
    cnn_status status = thumbnail_load(&thumbnail, predictor->context, path);

    if (status == CNN_OK)
        status = predictor_read(predictor, path);
    if (status == CNN_OK) {
        const char *name = cnn_model_class_name(predictor->model, answer->actual);
        fputs("<figure class=\"heat\">\n<div class=\"row\">\n<div><div class=\"frame\">", page);
        status = thumbnail_write(page, thumbnail, name);
        fputs("</div></div>\n", page);
        if (status == CNN_OK)
            status = put_heats(page, predictor, answer, thumbnail);
        fputs("</div>\n", page);
        put_caption(page, answers, answer, predictor->model);
        fputs("</figure>\n", page);
    }
    cnn_tensor_free(thumbnail);
    return status;
}

static bool put_heat_cards(FILE *page, const struct answers *answers,
                           const struct answer *const *list, int64_t count,
                           struct predictor *predictor)
{
    bool done = true;

    for (int64_t i = 0; done && i < count; i++)
        done = may_go_on(put_heat_card(page, answers, list[i], predictor));
    return done;
}

static int times_chosen(const struct answer *const *chosen, int count, int32_t class)
{
    int times = 0;

    for (int i = 0; i < count; i++)
        times += chosen[i]->actual == class;
    return times;
}

/* Takes the first answers out of `sorted`, each of another class as long as there are such. */
static int choose(const struct answer *chosen[HEAT_RIGHT], const struct answer **sorted,
                  int64_t count)
{
    int found = 0;

    for (int round = 0; round < HEAT_RIGHT; round++) {
        for (int64_t i = 0; i < count && found < HEAT_RIGHT; i++) {
            if (sorted[i] == NULL || times_chosen(chosen, found, sorted[i]->actual) > round)
                continue;
            chosen[found++] = sorted[i];
            sorted[i] = NULL;
        }
    }
    return found;
}

/* The surest right answers, of different classes. */
static bool put_right_ones(FILE *page, const struct answers *answers, struct predictor *predictor)
{
    int64_t count = 0;
    const struct answer *chosen[HEAT_RIGHT];
    const struct answer **sorted = answers_sorted(&count, answers, &surest);
    const int found = sorted != NULL ? choose(chosen, sorted, count) : 0;
    const bool done = sorted != NULL && put_heat_cards(page, answers, chosen, found, predictor);

    free(sorted);
    return done;
}

static bool put_wrong_ones(FILE *page, const struct answers *answers, struct predictor *predictor)
{
    int64_t count = 0;
    const struct answer **sorted = answers_sorted(&count, answers, &worst_mistakes);
    const int64_t most = count < HEAT_WRONG ? count : HEAT_WRONG;
    const bool done = sorted != NULL && put_heat_cards(page, answers, sorted, most, predictor);

    free(sorted);
    return done;
}

bool pictures_heat(FILE *page, const struct answers *answers, struct predictor *predictor)
{
    if (cnn_model_heat_map_layer(predictor->model) < 0) {
        html_element(page, "p class=\"soft\"", "The network has no convolution to look at.");
        return true;
    }
    fputs("<div class=\"heats\">\n", page);
    const bool done =
        put_right_ones(page, answers, predictor) && put_wrong_ones(page, answers, predictor);
    fputs("</div>\n", page);
    return done;
}

/* ---- Filters ------------------------------------------------------------------------------- */

enum { MOST_FILTERS = 128, LARGEST_FILTER = 32 };

/* The first convolution; NULL: there is none. */
static cnn_layer *first_convolution(cnn_model *model)
{
    for (int32_t i = 0; i < cnn_model_layer_count(model); i++) {
        cnn_layer *layer = cnn_model_layer(model, i);
        if (cnn_layer_get_kind(layer) == CNN_CONV2D)
            return layer;
    }
    return NULL;
}

/* The kernel's mean over channels, or, where it has three, each. */
static float weight_at(const float *kernel, int64_t channels, int64_t pixels, int64_t pixel,
                       int color)
{
    float sum = 0;

    if (channels == 3)
        return kernel[color * pixels + pixel];
    for (int64_t i = 0; i < channels; i++)
        sum += kernel[i * pixels + pixel];
    return sum / (float)channels;
}

/* One kernel, [c][h][w]: gray is 0, and its largest weight is as far as colours go. */
static cnn_status put_filter(FILE *page, const float *kernel, const int64_t shape[4])
{
    const int64_t pixels = shape[2] * shape[3];
    uint8_t image[LARGEST_FILTER * LARGEST_FILTER * 3];
    float most = 0;

    for (int64_t i = 0; i < 3 * pixels; i++)
        most = fmaxf(most, fabsf(weight_at(kernel, shape[1], pixels, i / 3, (int)(i % 3))));
    for (int64_t i = 0; i < 3 * pixels; i++) {
        const float weight = weight_at(kernel, shape[1], pixels, i / 3, (int)(i % 3));
        image[i] = (uint8_t)(127.5f + (most > 0 ? 127.0f * weight / most : 0));
    }
    return thumbnail_write_exact(page, image, (int)shape[3], (int)shape[2], "");
}

static cnn_status put_filters(FILE *page, const cnn_tensor *weights)
{
    const int64_t shape[] = {cnn_tensor_dim(weights, 0), cnn_tensor_dim(weights, 1),
                             cnn_tensor_dim(weights, 2), cnn_tensor_dim(weights, 3)};
    const float *values = cnn_tensor_const_data(weights); /* [k][c][h][w] */
    cnn_status status = CNN_OK;

    fputs("<div class=\"card filters\">\n", page);
    for (int64_t i = 0; status == CNN_OK && i < shape[0] && i < MOST_FILTERS; i++)
        status = put_filter(page, values + i * shape[1] * shape[2] * shape[3], shape);
    fputs("\n</div>\n", page);
    return status;
}

bool pictures_filters(FILE *page, struct predictor *predictor)
{
    cnn_layer *layer = first_convolution(predictor->model);
    int64_t shape[CNN_MAX_RANK] = {0};
    int32_t rank = 0;
    cnn_tensor *weights = NULL;

    if (layer == NULL || cnn_layer_parameter_shape(shape, &rank, layer, CNN_WEIGHT) != CNN_OK ||
        shape[2] > LARGEST_FILTER || shape[3] > LARGEST_FILTER) {
        html_element(page, "p class=\"soft\"", "The network has none that can be shown.");
        return true;
    }
    cnn_status status = cnn_tensor_create(&weights, predictor->context, CNN_FLOAT32, shape, rank);
    if (status == CNN_OK)
        status = cnn_layer_get_parameter(layer, CNN_WEIGHT, weights);
    if (status == CNN_OK)
        status = put_filters(page, weights);
    cnn_tensor_free(weights);
    return may_go_on(status);
}
