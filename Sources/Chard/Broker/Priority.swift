// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Celery's priorities on Redis: ten values in four steps, each a list of its own. 0 is served first.
public enum Priority {
    /// The least value of each step, as kombu names its lists.
    public static let steps = [0, 3, 6, 9]

    /// The index in ``steps`` of the greatest step not above `priority`; values outside 0 ... 9 are clamped.
    public static func step(for priority: Int) -> Int {
        min(max(priority, 0), 9) / 3
    }
}
