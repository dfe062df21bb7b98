/* SPDX-License-Identifier: MIT
 * What the fuzz targets share: libFuzzer's entry point, and a check that stays in every build. */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define fuzz_check(condition) ((condition) ? (void)0 : __builtin_trap())

#endif
