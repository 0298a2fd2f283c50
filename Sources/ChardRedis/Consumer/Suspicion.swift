// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Whether leased lists may hold messages that nobody told of, since a reply was lost, and when to look.
///
/// A connection may be dead here and alive for the server, which goes on moving messages for it: so one look is not enough.
/// There are several while that can happen, and one afterwards. A value that is told times.
struct Suspicion: Sendable {
    /// Longer than a blocking pop waits together with the time in which a dead connection is noticed.
    let length: Duration
    static let interval: Duration = .seconds(3)

    private var aroseAt: ContinuousClock.Instant?
    private var nextLook = ContinuousClock.now

    init(length: Duration = .seconds(15)) {
        self.length = length
    }

    var isThere: Bool { aroseAt != nil }

    mutating func arises(at now: ContinuousClock.Instant) {
        aroseAt = now
        nextLook = now
    }

    func wantsLook(at now: ContinuousClock.Instant) -> Bool {
        aroseAt != nil && now >= nextLook
    }

    /// All lists were looked through.
    mutating func looked(since start: ContinuousClock.Instant) {
        guard let aroseAt, aroseAt <= start else { return }
        if start - aroseAt > length { self.aroseAt = nil }
        nextLook = min(start + Self.interval, max(start, aroseAt + length) + .milliseconds(1))
    }
}
