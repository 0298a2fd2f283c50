// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// How often this process has asked for memory so far, on any thread; always 0 with a C library other than glibc.
///
/// A program that links this library finds malloc and its relatives replaced by ones that count and go on to glibc's.
unsigned long allocation_count(void);
