/* SPDX-License-Identifier: MIT
 * Loop pragmas for kernel files.  An array of vectors stays in registers only where every loop
 * over it is unrolled whole; the two compilers want to be asked differently. */
#ifndef CNNI_UNROLL_H
#define CNNI_UNROLL_H

#ifdef __clang__
#define CNNI_UNROLL      _Pragma("unroll")
#define CNNI_UNROLL_BY_2 _Pragma("unroll 2")
#else
#define CNNI_UNROLL      _Pragma("GCC unroll 32")
#define CNNI_UNROLL_BY_2 _Pragma("GCC unroll 2")
#endif

/* For tiles whose size is a constant at each call. */
#define CNNI_INLINE __attribute__((always_inline)) static inline

#endif
