/* SPDX-License-Identifier: MIT
 * Forward passes in double precision. */
#include "support/reference.h"

#include <math.h>

static int64_t places(int64_t input, int64_t padding, int64_t window, int64_t dilation,
                      int64_t stride)
{
    return (input + padding - dilation * (window - 1) - 1) / stride + 1;
}

int64_t reference_rows(const struct reference_window *window)
{
    return places(window->h, window->pad_top + window->pad_bottom, window->r, window->dilation_h,
                  window->stride_h);
}

int64_t reference_columns(const struct reference_window *window)
{
    return places(window->w, window->pad_left + window->pad_right, window->s, window->dilation_w,
                  window->stride_w);
}

/* The input behind tap (r, s) of output (row, column); NULL in the padding. */
static const double *pixel(const struct reference_window *of, const double *x, int64_t n,
                           int64_t row, int64_t column, int64_t r, int64_t s)
{
    int64_t y = row * of->stride_h - of->pad_top + r * of->dilation_h;
    int64_t z = column * of->stride_w - of->pad_left + s * of->dilation_w;
    if (y < 0 || y >= of->h || z < 0 || z >= of->w)
        return (const double *)0;
    return x + ((n * of->h + y) * of->w + z) * of->c;
}

/* One output of a convolution without its bias. */
static double convolve(const struct reference_window *of, const double *x, const double *w,
                       int64_t n, int64_t row, int64_t column, int64_t k)
{
    int64_t channels = of->c / of->groups, first = k / (of->k / of->groups) * channels;
    double sum = 0;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t r = 0; r < of->r; r++)
            for (int64_t s = 0; s < of->s; s++) {
                const double *at = pixel(of, x, n, row, column, r, s);
                if (at)
                    sum += at[first + c] * w[((k * channels + c) * of->r + r) * of->s + s];
            }
    return sum;
}

void reference_conv2d(double *y, const struct reference_window *window, const double *x,
                      const double *w, const double *b)
{
    int64_t rows = reference_rows(window), columns = reference_columns(window);
    for (int64_t n = 0; n < window->n; n++)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                for (int64_t k = 0; k < window->k; k++)
                    *y++ = convolve(window, x, w, n, row, column, k) + (b ? b[k] : 0);
}

static double largest(const struct reference_window *of, const double *x, int64_t n, int64_t row,
                      int64_t column, int64_t c)
{
    double best = -INFINITY;
    for (int64_t r = 0; r < of->r; r++)
        for (int64_t s = 0; s < of->s; s++) {
            const double *at = pixel(of, x, n, row, column, r, s);
            if (at && at[c] > best)
                best = at[c];
        }
    return best;
}

void reference_maxpool2d(double *y, const struct reference_window *window, const double *x)
{
    int64_t rows = reference_rows(window), columns = reference_columns(window);
    for (int64_t n = 0; n < window->n; n++)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                for (int64_t c = 0; c < window->c; c++)
                    *y++ = largest(window, x, n, row, column, c);
}

static double mean_of(const struct reference_window *window, bool counts, const double *x,
                      int64_t n, int64_t row, int64_t column, int64_t c)
{
    double sum = 0;
    int64_t inside = 0;
    for (int64_t r = 0; r < window->r; r++)
        for (int64_t s = 0; s < window->s; s++) {
            const int64_t i = row * window->stride_h - window->pad_top + r;
            const int64_t j = column * window->stride_w - window->pad_left + s;
            if (i < 0 || i >= window->h || j < 0 || j >= window->w)
                continue;
            sum += x[((n * window->h + i) * window->w + j) * window->c + c];
            inside++;
        }
    return sum / (double)(counts ? window->r * window->s : inside);
}

void reference_avgpool2d(double *y, const struct reference_window *window, bool counts,
                         const double *x)
{
    int64_t rows = reference_rows(window), columns = reference_columns(window);
    for (int64_t n = 0; n < window->n; n++)
        for (int64_t row = 0; row < rows; row++)
            for (int64_t column = 0; column < columns; column++)
                for (int64_t c = 0; c < window->c; c++)
                    *y++ = mean_of(window, counts, x, n, row, column, c);
}

void reference_dense(double *y, int64_t n, int64_t units, int64_t features, const double *x,
                     const double *w, const double *b)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t u = 0; u < units; u++) {
            double sum = b ? b[u] : 0;
            for (int64_t f = 0; f < features; f++)
                sum += x[i * features + f] * w[u * features + f];
            *y++ = sum;
        }
}

void reference_relu(double *y, int64_t count, const double *x)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = x[i] > 0 ? x[i] : 0;
}

/* log(sum of exp(z)) without overflow. */
static double log_sum(int64_t count, const double *z)
{
    double most = z[0], sum = 0;
    for (int64_t i = 0; i < count; i++)
        most = fmax(most, z[i]);
    for (int64_t i = 0; i < count; i++)
        sum += exp(z[i] - most);
    return most + log(sum);
}

void reference_softmax(double *y, int64_t rows, int64_t columns, const double *x)
{
    for (int64_t i = 0; i < rows; i++) {
        double all = log_sum(columns, x + i * columns);
        for (int64_t j = 0; j < columns; j++)
            y[i * columns + j] = exp(x[i * columns + j] - all);
    }
}

void reference_add(double *y, int64_t count, const double *a, const double *b)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

void reference_moments(double *mean, double *variance, int64_t pixels, int64_t channels,
                       const double *x)
{
    for (int64_t c = 0; c < channels; c++) {
        mean[c] = variance[c] = 0;
        for (int64_t i = 0; i < pixels; i++)
            mean[c] += x[i * channels + c] / (double)pixels;
        for (int64_t i = 0; i < pixels; i++)
            variance[c] += pow(x[i * channels + c] - mean[c], 2) / (double)pixels;
    }
}

void reference_batch_norm(double *y, int64_t pixels, int64_t channels, const double *x,
                          const double *mean, const double *variance, double epsilon,
                          const double *w, const double *b)
{
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t c = 0; c < channels; c++)
            *y++ = (*x++ - mean[c]) / sqrt(variance[c] + epsilon) * w[c] + b[c];
}

void reference_columns_to_hwc(double *hwc, int64_t units, int64_t h, int64_t w, int64_t c,
                              const double *chw)
{
    for (int64_t u = 0; u < units; u++)
        for (int64_t k = 0; k < c; k++)
            for (int64_t i = 0; i < h * w; i++)
                hwc[u * h * w * c + i * c + k] = *chw++;
}

double reference_cross_entropy(int64_t n, int64_t outputs, const double *z, const double *targets,
                               double smoothing)
{
    double loss = 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < outputs; k++) {
            double target =
                (1 - smoothing) * targets[i * outputs + k] + smoothing / (double)outputs;
            loss -= target * (z[i * outputs + k] - log_sum(outputs, z + i * outputs));
        }
    return loss / (double)n;
}

double reference_binary_cross_entropy(int64_t n, int64_t outputs, const double *z,
                                      const double *targets)
{
    double loss = 0;
    for (int64_t i = 0; i < n * outputs; i++)
        loss += fmax(z[i], 0) - z[i] * targets[i] + log1p(exp(-fabs(z[i])));
    return loss / (double)(n * outputs);
}

double reference_squared_error(int64_t n, int64_t outputs, const double *y, const double *targets)
{
    double loss = 0;
    for (int64_t i = 0; i < n * outputs; i++)
        loss += (y[i] - targets[i]) * (y[i] - targets[i]);
    return loss / (double)(n * outputs);
}
