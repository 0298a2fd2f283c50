// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The revoked tasks that one process knows of, by fingerprints of their ids, each until it may be forgotten. A value.
///
/// There is a bound to what it keeps. Whatever is beyond that, or has not been read yet, has to be asked for: see ``isWhole``.
struct Revocations: Sendable {
    static let most = 100_000

    private var until: [Int: Double] = [:]
    /// Whether a task that is not known here is not revoked.
    private(set) var isWhole = false

    var count: Int { until.count }

    /// All that the server has was read.
    mutating func becomeWhole() {
        if until.count < Self.most { isWhole = true }
    }

    /// What was missed is not known.
    mutating func doubt() {
        isWhole = false
    }

    mutating func insert(_ id: String, until time: Double, now: Double) {
        if until.count >= Self.most {
            until = until.filter { $0.value > now }
            if until.count >= Self.most { return isWhole = false }
        }
        until[id.hashValue] = time
    }

    func contains(_ id: String, now: Double) -> Bool {
        until[id.hashValue].map { $0 > now } ?? false
    }
}
