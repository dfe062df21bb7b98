/* SPDX-License-Identifier: MIT
 * Colours as gray level and two differences from it.  The same bytes on every machine: single
 * precision in a fixed order, and no contraction. */
#include "data/image_tint.h"

#include "base/real.h"

/* Shares of red, green and blue in the gray level, as in cnni_luma(). */
static const float red_share = 0.299f, green_share = 0.587f, blue_share = 0.114f;

/* New differences of blue (u) and red (v) from the gray level by the old ones. */
struct turn {
    float u_u, u_v;
    float v_u, v_v;
};

/* Cb is u / 1.772 and Cr is v / 1.402. */
static struct turn make_turn(double saturation, double hue)
{
    const double cosine = saturation * cnni_cospi(hue), sine = saturation * cnni_sinpi(hue);
    return (struct turn){(float)cosine, (float)(-sine * (1.772 / 1.402)),
                         (float)(sine * (1.402 / 1.772)), (float)cosine};
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(int32_t)(CNNI_MIN(CNNI_MAX(value, 0.0f), 255.0f) + 0.5f);
}

void cnni_image_tint(const struct cnni_image *image, double saturation, double hue)
{
    const struct turn turn = make_turn(saturation, hue);
    const int64_t pixels = image->h * image->w;
    uint8_t *pixel = image->pixels;
    CNNI_ASSERT(image->c == 3);
    for (int64_t i = 0; i < pixels; i++, pixel += 3) {
        const float red = pixel[0], green = pixel[1], blue = pixel[2];
        const float y = red_share * red + green_share * green + blue_share * blue;
        const float old_u = blue - y, old_v = red - y;
        const float u = turn.u_u * old_u + turn.u_v * old_v;
        const float v = turn.v_u * old_u + turn.v_v * old_v;
        pixel[0] = to_byte(y + v);
        pixel[1] = to_byte(y - (red_share * v + blue_share * u) / green_share);
        pixel[2] = to_byte(y + u);
    }
}
