// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#ifndef CHARD_ZLIB_SHIM_H
#define CHARD_ZLIB_SHIM_H

#include <zlib.h>

// `inflateInit` is a macro, which Swift cannot import.
static inline int chard_inflate_init(z_streamp stream) {
    return inflateInit(stream);
}

#endif
