// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Finds what somebody may have meant.
enum Suggestion {
    /// The known name that `name` most probably stands for; nil where none is near.
    static func nearest(to name: String, among known: [String]) -> String? {
        let wanted = plain(name)
        guard !wanted.isEmpty else { return nil }
        // "broker" for "broker_url", "concurrency" for "worker_concurrency", if only one fits.
        let related = known.filter { candidate in
            let candidate = plain(candidate)
            let (long, short) = candidate.count > wanted.count ? (candidate, wanted) : (wanted, candidate)
            return short.count >= 4 && (long.starts(with: short) || long.reversed().starts(with: short.reversed()))
        }
        if related.count == 1 { return related[0] }
        let ranked = known.map { ($0, distance(wanted, plain($0))) }
        guard let (best, distance) = ranked.min(by: { $0.1 < $1.1 }) else { return nil }
        return distance <= max(1, wanted.count / 4) ? best : nil
    }

    /// `; did you mean "..."?`, or the known names where none is near.
    static func hint(for name: String, among known: [String]) -> String {
        nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" }
            ?? "; known are \(known.joined(separator: ", "))"
    }

    /// Letters and digits, in lower case.
    private static func plain(_ name: String) -> [UInt8] {
        name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
    }

    /// How many letters have to be put in, left out, replaced or swapped with their neighbour.
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
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
