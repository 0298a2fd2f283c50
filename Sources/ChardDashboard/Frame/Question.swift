// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

/// What somebody asks of a page: which one of its kind, how filtered, and what may be asked of the broker for it.
struct Question: Sendable {
    let facts: Facts
    /// What stands in the place of the parameters of the page's path.
    let names: [String: String]
    /// What stands behind the `?`.
    var filters: [String: String]
    let now: Date

    var app: Chard { facts.app }
    var `operator`: Operator { facts.operator }

    /// A part of the path.
    func name(_ parameter: String) -> String { names[parameter] ?? "" }

    /// What a filter says; `nil` where it says nothing.
    func filter(_ name: String) -> String? { filters[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// A filter that is a whole number.
    /// - Throws: ``PageError`` where it is none, or not within the range.
    func number(_ name: String, in range: ClosedRange<Int>, default usual: Int) throws -> Int {
        guard let text = filter(name) else { return usual }
        guard let number = Int(text), range.contains(number) else {
            throw PageError(
                .badRequest,
                "The filter \"\(name)\" is \"\(text.prefix(100))\"; it must be a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound).")
        }
        return number
    }

    /// The part of a list that is asked for: how many to pass over, and how many at most.
    func range() throws -> (from: Int, limit: Int) {
        (
            try number("from", in: 0...10_000_000, default: 0), try number("limit", in: 1...500, default: 50)
        )
    }
}
