/* SPDX-License-Identifier: MIT
 * Regions of strips, and the pieces of their chains. */
#include "ops/op_conv2d_region.h"

/* Pictures of fewer pixels are one region: tiles of the few pixels at a border would be slower than
 * the taps that they leave out.  So are those that are pooled row by row. */
enum { LEAST_PIXELS = 36 };

/* ---- Bands ---- */

/* The taps that lie inside the source for output g. */
static struct cnni_span inner_taps(const struct cnni_axis *axis, int64_t g)
{
    const int64_t start = axis->tap_first + g * axis->step;
    const int64_t left = axis->source - start;
    const struct cnni_span taps = {
        .first = cnni_ceil_div(CNNI_MAX(-start, 0), axis->tap_step),
        .end = CNNI_MIN(cnni_ceil_div(CNNI_MAX(left, 0), axis->tap_step), axis->taps),
    };
    return taps.first < taps.end ? taps : (struct cnni_span){0, 0};
}

static bool is_same_border(struct cnni_span a, struct cnni_span b, int64_t taps)
{
    return (a.first > 0) == (b.first > 0) && (a.end < taps) == (b.end < taps);
}

/* Outputs follow each other from the first border over the middle to the last, or, where windows
 * are larger than the source, over some that touch both. */
static int32_t find_bands(struct cnni_band bands[CNNI_BANDS_MOST], const struct cnni_axis *axis)
{
    int32_t count = 0;
    struct cnni_span before = {0, 0};
    for (int64_t g = 0; g < axis->grid; g++) {
        const struct cnni_span taps = inner_taps(axis, g);
        if (count < CNNI_BANDS_MOST && (count == 0 || !is_same_border(before, taps, axis->taps)))
            bands[count++] = (struct cnni_band){{g, g}, taps};
        struct cnni_band *band = &bands[count - 1];
        band->grid.end = g + 1;
        band->taps.first = CNNI_MIN(band->taps.first, taps.first);
        band->taps.end = CNNI_MAX(band->taps.end, taps.end);
        before = taps;
    }
    return count;
}

static int32_t one_band(struct cnni_band bands[CNNI_BANDS_MOST], const struct cnni_axis *axis)
{
    bands[0] = (struct cnni_band){{0, axis->grid}, {0, axis->taps}};
    return 1;
}

void cnni_bands_find(struct cnni_bands *bands, const struct cnni_pass *pass)
{
    const bool one = !pass->copied || pass->pools || pass->h.grid * pass->w.grid < LEAST_PIXELS;
    bands->h_count = one ? one_band(bands->h, &pass->h) : find_bands(bands->h, &pass->h);
    bands->w_count = one ? one_band(bands->w, &pass->w) : find_bands(bands->w, &pass->w);
}

void cnni_bands_offsets(struct cnni_offsets *offsets, const struct cnni_pass *pass,
                        const struct cnni_bands *bands, float *memory)
{
    const bool whole = pass->rows == pass->h.grid;
    const struct cnni_span strip = {0, pass->rows};
    int64_t pixel = 0;
    cnni_pass_place_offsets(offsets, pass, memory);
    for (int32_t j = 0; j < bands->w_count; j++)
        for (int32_t i = 0; i < (whole ? bands->h_count : 1); i++)
            pixel = cnni_pass_fill_pixels(offsets, pixel, pass, whole ? bands->h[i].grid : strip,
                                          bands->w[j].grid);
}

/* ---- Regions ---- */

/* Where the taps of a row are joined into one run, the run is what borders shorten. */
static struct cnni_region region_of(const struct cnni_pass *pass, struct cnni_span rows,
                                    struct cnni_span columns)
{
    const int64_t channels = pass->source_channels;
    struct cnni_region region = {.rows = rows, .columns = columns, .run = {0, pass->depth}};
    if (pass->tap_count == pass->h.taps) {
        region.columns = (struct cnni_span){0, 1};
        region.run = (struct cnni_span){columns.first * channels, columns.end * channels};
    }
    return region;
}

int32_t cnni_strip_regions(struct cnni_region regions[CNNI_REGIONS_MOST],
                           const struct cnni_pass *pass, const struct cnni_bands *bands,
                           const struct cnni_strip *strip)
{
    int32_t count = 0;
    for (int32_t i = 0; i < bands->w_count * bands->h_count; i++) {
        const struct cnni_band *w = &bands->w[i / bands->h_count];
        const struct cnni_band *h = &bands->h[i % bands->h_count];
        const int64_t columns = w->grid.end - w->grid.first;
        const int64_t row = CNNI_MAX(h->grid.first - strip->row, 0);
        const int64_t rows = CNNI_MIN(h->grid.end - strip->row, strip->rows) - row;
        if (rows <= 0)
            continue;
        const int64_t first = pass->pictures * (pass->rows * w->grid.first + row * columns);
        regions[count] = region_of(pass, h->taps, w->taps);
        regions[count++].pixels =
            (struct cnni_span){first, first + strip->pictures * rows * columns};
    }
    return count;
}

/* ---- Pieces of chains ---- */

static struct cnni_span overlap(struct cnni_span a, struct cnni_span b)
{
    return (struct cnni_span){CNNI_MAX(a.first, b.first), CNNI_MIN(a.end, b.end)};
}

/* A region at which nothing arrives has one share all the same: its chains begin and end. */
static bool share_of_nothing(struct cnni_share *share, const struct cnni_piece *piece)
{
    *share = (struct cnni_share){.begins = true, .ends = true};
    return piece->taps.first == 0 && piece->run.first == 0;
}

bool cnni_region_share(struct cnni_share *share, struct cnni_conv2d_tap *taps,
                       const struct cnni_region *region, const struct cnni_piece *piece)
{
    const struct cnni_pass *pass = piece->pass;
    const struct cnni_span rows = region->rows, columns = region->columns;
    const struct cnni_span run = overlap(region->run, piece->run);
    const int64_t per_row = pass->tap_count / CNNI_MAX(pass->h.taps, 1);
    const int64_t first = rows.first * per_row + columns.first;
    const int64_t last = (rows.end - 1) * per_row + columns.end - 1;
    if (rows.first >= rows.end || columns.first >= columns.end ||
        region->run.first >= region->run.end)
        return share_of_nothing(share, piece);
    int64_t count = 0;
    for (int64_t tap = CNNI_MAX(first, piece->taps.first);
         tap < CNNI_MIN(last + 1, piece->taps.end); tap++)
        if (tap % per_row >= columns.first && tap % per_row < columns.end)
            taps[count++] =
                (struct cnni_conv2d_tap){piece->offsets->taps[tap] + run.first,
                                         (tap * pass->depth + run.first) * piece->width};
    *share = (struct cnni_share){
        .tap_count = count,
        .depth = run.end - run.first,
        .begins = piece->taps.first <= first && run.first == region->run.first,
        .ends = piece->taps.end > last && run.end == region->run.end,
    };
    return count > 0 && share->depth > 0;
}
