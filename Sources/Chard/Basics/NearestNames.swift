// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Finds the known names that somebody may have meant.
package enum NearestNames {
    /// Up to `limit` names, the nearest first; none where none is near.
    package static func nearest(to name: String, among known: [String], limit: Int = 1) -> [String] {
        let wanted = Array(name.lowercased().utf8)
        guard !wanted.isEmpty, wanted.count <= 100 else { return [] }
        let tolerance = max(1, wanted.count / 3)
        return known.map { ($0, distance(wanted, Array($0.lowercased().utf8))) }
            .filter { $0.1 <= tolerance }
            .sorted { ($0.1, $0.0) < ($1.1, $1.0) }
            .prefix(limit).map(\.0)
    }

    /// How many letters have to be put in, left out, replaced or swapped with their neighbour.
    package static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
