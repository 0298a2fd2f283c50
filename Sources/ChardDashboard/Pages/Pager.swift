// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The ways to the parts of a list before and after the one that is shown.
struct Pager {
    let from: Int
    let limit: Int
    /// How many are shown.
    let count: Int
    /// How many there are; `nil` where nobody knows.
    let total: Int?

    /// The document of the pager; null where there is but one part.
    ///
    /// - Parameter path: The page, below the dashboard's own address, with its other filters.
    func document(at path: String, _ filters: [String: String] = [:]) -> JSON {
        let hasMore = total.map { from + count < $0 } ?? (count == limit)
        guard from > 0 || hasMore else { return .null }
        func place(_ first: Int) -> JSON {
            var filters = filters
            filters["from"] = String(max(0, first))
            filters["limit"] = String(limit)
            let query = filters.sorted { $0.key < $1.key }.map { "\($0.key)=\(PercentCoding.encode($0.value))" }
            return .string("\(path)?\(query.joined(separator: "&"))")
        }
        let of = total.map { " of \(Wording.count(Double($0)))" } ?? ""
        return [
            "before": from > 0 ? place(from - limit) : .null, "after": hasMore ? place(from + limit) : .null,
            "range": .string(count == 0 ? "nothing here" : "\(from + 1) to \(from + count)\(of)"),
        ]
    }
}
