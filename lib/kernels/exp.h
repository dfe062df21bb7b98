/* SPDX-License-Identifier: MIT
 * Constants of the exponential in exp_body.h, the same on every level:
 *   n = x / log 2 rounded to an integer, by adding and taking away 1.5 * 2^23;
 *   r = x - n log 2, in two steps, log 2 having been split so that n * LN2_HIGH is exact;
 *   exp(x) = 2^n p(r) for |r| <= log(2) / 2, p of degree 6 with p(0) = p'(0) = 1 and a relative
 *   error of 3.6e-9 (fitted by weighted least squares, weights raised where the error was large,
 *   until it was level);
 *   2^n in two factors, so that results below the normal range round once.
 * Below LEAST the result is 0, above MOST infinite: x is clamped to them. */
#ifndef CNNI_EXP_H
#define CNNI_EXP_H

#define CNNI_EXP_LEAST    (-104.0f)
#define CNNI_EXP_MOST     89.0f
#define CNNI_EXP_LOG2E    0x1.715476p+0f
#define CNNI_EXP_ROUND    0x1.8p+23f
#define CNNI_EXP_LN2_HIGH 0x1.62e4p-1f
#define CNNI_EXP_LN2_LOW  0x1.7f7d1cp-20f
#define CNNI_EXP_C2       0x1.fffffcp-2f
#define CNNI_EXP_C3       0x1.555482p-3f
#define CNNI_EXP_C4       0x1.55593cp-5f
#define CNNI_EXP_C5       0x1.1245c8p-7f
#define CNNI_EXP_C6       0x1.6a107ep-10f

#endif
