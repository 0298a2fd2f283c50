// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// How many seconds this process's wall clock is off: the environment variable FAULT_CLOCK, read once.
///
/// A program that links this library finds the functions by which Swift, Foundation and Dispatch ask for the time of day
/// replaced by ones that add that much. Monotonic clocks are left alone, as on a machine whose clock was set wrongly.
long fault_clock_offset(void);
