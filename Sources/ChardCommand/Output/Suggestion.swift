// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

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
        let ranked = known.map { ($0, NearestNames.distance(wanted, plain($0))) }
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
}
