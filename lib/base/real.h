/* SPDX-License-Identifier: MIT
 * Elementary functions in double precision that give the same bits on every system, unlike libm's.
 * Built from + - * / and sqrt alone; within 2 ULP unless said otherwise. */
#ifndef CNNI_REAL_H
#define CNNI_REAL_H

double cnni_exp(double x);
double cnni_log(double x);

/* cos(pi x) and sin(pi x). */
double cnni_cospi(double x);
double cnni_sinpi(double x);

/* x^n for n >= 0, by repeated squaring. */
double cnni_power(double x, long long n);

/* part / whole, rounded to the nearest in any environment; NaN while there is no whole. */
double cnni_ratio(double part, double whole);

#endif
