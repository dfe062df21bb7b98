/* SPDX-License-Identifier: MIT
 * CRC-32C (Castagnoli's polynomial), the checksum of model files: it finds damage, not forgery. */
#ifndef CNNI_CRC32C_H
#define CNNI_CRC32C_H

#include "base/base.h"

/* The checksum of bytes whose first part has the checksum `crc`; 0 where these are the first. */
uint32_t cnni_crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
