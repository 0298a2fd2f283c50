// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// How far a batch is.
struct BatchProgress: Sendable {
    /// Whether it goes on.
    enum State: String, Sendable {
        case running, done, cancelled, failed
    }

    let id: String
    let deed: String
    /// Whom it was ordered by; empty where nobody is known by name.
    let user: String
    let total: Int
    let startedAt: Date
    var state = State.running
    var changed = 0
    var refused = 0
    /// Why nothing was done, and to how many; the first that came, each with the id that it was first said of.
    var reasons: [(text: String, id: String, count: Int)] = []
    /// Why it ended before it was through.
    var trouble: String?
    var endedAt: Date?

    var done: Int { changed + refused }

    /// More reasons are not told apart.
    private static let mostReasons = 20

    mutating func count(_ end: BatchStep.End, of id: String) {
        switch end {
        case .changed: changed += 1
        case .refused(let text):
            refused += 1
            if let index = reasons.firstIndex(where: { $0.text == text }) {
                reasons[index].count += 1
            } else if reasons.count < Self.mostReasons {
                reasons.append((text, id, 1))
            }
        }
    }
}
