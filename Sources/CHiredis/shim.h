// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// Only the reader of replies is used: sockets, TLS and timeouts are SwiftNIO's.

#ifndef CHARD_HIREDIS_SHIM_H
#define CHARD_HIREDIS_SHIM_H

#include <hiredis/hiredis.h>

#endif
