/* SPDX-License-Identifier: MIT
 * Loop pragmas for kernel files.  An array of vectors stays in registers only where every loop
 * over it is unrolled whole; the two compilers want to be asked differently.  clang has to be told
 * "full", or else unrolls by some number before it knows how many rows a tile has.  Under a
 * sanitizer nothing is unrolled: checks around each element would take the compiler minutes. */
#ifndef CNNI_UNROLL_H
#define CNNI_UNROLL_H

/* CNNI_INLINE is for tiles whose size is a constant at each call, CNNI_NOINLINE for what is to have
 * all registers for itself. */
#define CNNI_NOINLINE __attribute__((noinline)) static

#if defined(CNNI_SANITIZED)
#define CNNI_UNROLL
#define CNNI_UNROLL_BY_2
#define CNNI_INLINE static inline
#elif defined(__clang__)
#define CNNI_UNROLL      _Pragma("clang loop unroll(full)")
#define CNNI_UNROLL_BY_2 _Pragma("unroll 2")
#define CNNI_INLINE      __attribute__((always_inline)) static inline
#else
#define CNNI_UNROLL      _Pragma("GCC unroll 32")
#define CNNI_UNROLL_BY_2 _Pragma("GCC unroll 2")
#define CNNI_INLINE      __attribute__((always_inline)) static inline
#endif

#endif
