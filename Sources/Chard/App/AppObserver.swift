// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whoever is told of what an app's processes do. There is nothing in it: conform to ``WorkerObserver``.
public protocol AppObserver: Sendable {}
