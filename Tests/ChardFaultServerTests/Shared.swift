// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// What the tests of the whole package share, in each file of this target.
@_exported import TestTraits
