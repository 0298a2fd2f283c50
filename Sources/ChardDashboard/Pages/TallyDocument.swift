// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// What a history comes to, as pages have it.
enum TallyDocument {
    /// Slots of time as bars, and all of them together.
    static func slots(_ slots: [Tally.Slot]) -> JSON {
        var document = counts(slots.total)
        document["bars"] = .array(
            slots.map { slot in
                let time = Timestamp.text(for: slot.start)
                let failed = slot.counts.failed + slot.counts.lost
                let label = "\(time.dropFirst(11).prefix(5)) UTC: \(slot.counts.over) over, \(failed) failed or lost"
                return [
                    "at": .string(time), "value": .integer(slot.counts.over + slot.counts.lost),
                    "bad": .integer(failed), "label": .string(label),
                ]
            })
        return document
    }

    static func counts(_ counts: TallyCounts) -> JSON {
        [
            "over": .integer(counts.over), "succeeded": .integer(counts.succeeded), "failed": .integer(counts.failed),
            "retried": .integer(counts.retried), "lost": .integer(counts.lost), "revoked": .integer(counts.revoked),
        ]
    }

    /// Names with their figures, what ran most first.
    static func figures(_ all: [String: Tally.Figures], most: Int = 50) -> JSON {
        let sorted = all.sorted { ($0.value.counts.over, $1.key) > ($1.value.counts.over, $0.key) }
        return .array(
            sorted.prefix(most).map { name, figures in
                var document = counts(figures.counts)
                document["name"] = .string(name)
                document["run"] = spread(figures.run)
                document["wait"] = spread(figures.wait)
                document["is_bad"] = .bool(figures.counts.failed > 0)
                return document
            })
    }

    /// In seconds; null where nothing is known.
    private static func spread(_ spread: Spread) -> JSON {
        func seconds(_ share: Double) -> JSON {
            spread.quantile(share).map { .number(($0 * 10_000).rounded() / 10_000) } ?? .null
        }
        return ["count": .integer(spread.count), "p50": seconds(0.5), "p95": seconds(0.95), "p99": seconds(0.99)]
    }
}
