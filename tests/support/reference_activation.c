/* SPDX-License-Identifier: MIT
 * Activations in double precision. */
#include "support/reference_activation.h"

#include <math.h>

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}

/* The normal distribution and its density. */
static double normal(double x)
{
    return erfc(-x / sqrt(2)) / 2;
}

static double density(double x)
{
    return exp(-x * x / 2) / sqrt(2 * acos(-1));
}

/* x * factor, 0 where the factor is */
static double scaled(double x, double factor)
{
    return factor == 0 ? 0 : x * factor;
}

double reference_activation(cnn_layer_kind kind, double parameter, double x)
{
    switch (kind) {
    case CNN_RELU: return x <= 0 ? 0 : x;
    case CNN_LEAKY_RELU: return x <= 0 ? parameter * x : x;
    case CNN_RELU6: return clamp(x, 0, 6);
    case CNN_SIGMOID: return sigmoid(x);
    case CNN_TANH: return tanh(x);
    case CNN_SILU: return scaled(x, sigmoid(x));
    case CNN_HARD_SWISH: return scaled(x, clamp(x + 3, 0, 6) / 6);
    case CNN_HARD_SIGMOID: return clamp(x + 3, 0, 6) / 6;
    case CNN_GELU: return scaled(x, normal(x));
    case CNN_ELU: return x <= 0 ? parameter * expm1(x) : x;
    }
    return NAN;
}

/* a + b, and the sum of their magnitudes */
static double sum(double a, double b, double *magnitude)
{
    *magnitude = fabs(a) + fabs(b);
    return a + b;
}

double reference_activation_gradient(cnn_layer_kind kind, double parameter, double value,
                                     double *magnitude)
{
    const double v = value, s = sigmoid(v);
    *magnitude = 1;
    switch (kind) {
    case CNN_RELU: return v <= 0 ? 0 : 1;
    case CNN_LEAKY_RELU: return v <= 0 ? sum(parameter, 0, magnitude) : 1;
    case CNN_RELU6: return v <= 0 || v >= 6 ? 0 : 1;
    case CNN_SIGMOID: return sum(v * (1 - v), 0, magnitude);
    case CNN_TANH: return sum(1, -v * v, magnitude);
    case CNN_SILU: return sum(s, scaled(v, s * sigmoid(-v)), magnitude);
    case CNN_HARD_SWISH: return v <= -3 ? 0 : v >= 3 ? 1 : sum(0.5, v / 3, magnitude);
    case CNN_HARD_SIGMOID: return v <= 0 || v >= 1 ? 0 : sum(1.0 / 6, 0, magnitude);
    case CNN_GELU: return sum(normal(v), scaled(v, density(v)), magnitude);
    case CNN_ELU: return v <= 0 ? sum(v, parameter, magnitude) : 1;
    }
    return NAN;
}
