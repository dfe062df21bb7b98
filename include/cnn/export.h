/* SPDX-License-Identifier: MIT
 * How declarations are exported.  Nothing here needs to be known by a caller. */
#ifndef CNN_EXPORT_H
#define CNN_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CNN_API __attribute__((visibility("default")))
#else
#define CNN_API
#endif

#ifdef __cplusplus
#define CNN_BEGIN_DECLS extern "C" {
#define CNN_END_DECLS   }
#else
#define CNN_BEGIN_DECLS
#define CNN_END_DECLS
#endif

#endif
