// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One of the two lines in which the messages of a queue wait: what was delayed and is due, or what was sent. Claims take from
/// both by turns, so that neither a storm of retries nor a heap of new messages keeps the other waiting.
struct Line: Sendable, Hashable {
    /// Positions below this are of what is due, see ``Transaction/promote(atMost:)``.
    static let boundary: Int64 = -(1 << 61)

    let queue: String
    private let isDue: Bool

    init(_ queue: String, isDue: Bool) {
        self.queue = queue
        self.isDue = isDue
    }

    /// Its least position.
    var start: Int64 { isDue ? .min : Self.boundary }
    /// No position of it is as high as this.
    var end: Int64 { isDue ? Self.boundary : .max }
}
