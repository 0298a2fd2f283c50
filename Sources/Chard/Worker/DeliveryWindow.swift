// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How many messages a process should have in hand: enough never to wait for the broker, too few to keep work from others.
///
/// It aims at holding what the slots get through in `horizon`: tasks of 50 µs are claimed by the hundred, tasks of a
/// minute as many as run at once. A value without clock or I/O: it is told durations and answers with counts.
struct DeliveryWindow: Sendable {
    /// How much work in hand is neither hoarding nor starving. A round trip on a busy server is a few milliseconds.
    static let horizon: Duration = .milliseconds(20)
    /// No more than this is ever held beyond what runs.
    static let maximum = 512
    /// Once so many bytes are held, of messages and of results that are not written yet, nothing is held beyond what runs.
    static let maximumBytes = 16 << 20

    /// How many run at once.
    private(set) var concurrency: Int
    /// Claimed and not yet settled.
    private(set) var held = 0
    /// Ended, but their settlements not yet written.
    private(set) var ended = 0
    /// The size of what is held.
    private(set) var bytes = 0
    /// The moving average of a run's duration in seconds; `nil` until a run has ended.
    private var average: Double?

    init(concurrency: Int) {
        self.concurrency = concurrency
    }

    mutating func widen(by slots: Int) {
        concurrency += slots
    }

    /// How many messages it is right to hold besides those whose end is being written.
    var size: Int {
        guard let average, !isHeavy else { return concurrency }
        let perHorizon = Self.horizon.seconds / max(average, 1e-6) * Double(concurrency)
        return max(concurrency, min(Self.maximum, Int(perHorizon)))
    }

    /// How many to claim now; 0 while what is in hand suffices.
    ///
    /// Claims are made in batches: of a large window at least a quarter must be free, unless a slot is idle.
    var room: Int {
        // A broker that is slow to settle must not make the process collect ends without bound.
        guard ended < Self.maximum * 2 else { return 0 }
        // Of what is heavy, that counts as well whose end is being written.
        let working = isHeavy ? held : held - ended
        let free = size - working
        guard free > 0 else { return 0 }
        return working < concurrency || free >= size / 4 ? free : 0
    }

    private var isHeavy: Bool { bytes >= Self.maximumBytes }

    mutating func claimed(_ count: Int, bytes: Int = 0) {
        held += count
        self.bytes += bytes
    }

    /// What an end adds to what is held until it is written.
    mutating func grew(by bytes: Int) {
        self.bytes += bytes
    }

    mutating func ended(after duration: Duration) {
        ended += 1
        let seconds = duration.seconds
        // One long run must shrink the window at once; short ones widen it slowly.
        average = average.map { seconds > $0 ? ($0 + seconds) / 2 : $0 + (seconds - $0) / 16 } ?? seconds
    }

    mutating func settled(_ count: Int, bytes: Int = 0) {
        held -= count
        ended -= count
        self.bytes -= bytes
    }

    /// Deliveries that are kept aside for later: they take nobody's room.
    mutating func parked(_ count: Int) {
        held -= count
    }

    /// No run has ended for so long: until one does, runs count as no shorter than that.
    mutating func stalled(for duration: Duration) {
        average = max(average ?? 0, duration.seconds)
    }

    /// Deliveries that end without having been run to their end: no duration is learnt from them.
    mutating func withdrawn(_ count: Int) {
        ended += count
    }
}
