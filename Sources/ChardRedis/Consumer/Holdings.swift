// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a consumer knows it holds, so that messages which the server moved to its lists without its learning of it can be
/// told apart: a reply may be lost with its connection.
struct Holdings: Sendable {
    private var counts: [Int: Int] = [:]
    /// Messages that were found in a list before the pop that moved them was answered, by their list.
    private var foundEarly: [String: Set<Int>] = [:]
    /// Messages that were settled while their list was being read: the list may still show them.
    private var removed: Set<Int>?

    var count: Int { counts.values.reduce(0, +) }

    mutating func add(_ deliveries: [Delivery]) {
        for delivery in deliveries { counts[Self.mark(delivery.place, delivery.payload), default: 0] += 1 }
    }

    mutating func remove(_ delivery: Delivery) {
        let mark = Self.mark(delivery.place, delivery.payload)
        removed?.insert(mark)
        guard let count = counts[mark] else { return }
        counts[mark] = count > 1 ? count - 1 : nil
    }

    /// To be called before a leased list is read.
    mutating func beginReading() {
        removed = []
    }

    /// The list was not read to its end.
    mutating func giveUpReading() {
        removed = nil
    }

    /// Of all the messages that a leased list was read to hold, oldest first, those that were not known to be held.
    mutating func unknown(in held: [Delivery]) -> [Delivery] {
        var counts = counts
        let removed = removed ?? []
        self.removed = nil
        return held.filter { delivery in
            let mark = Self.mark(delivery.place, delivery.payload)
            guard !removed.contains(mark) else { return false }
            guard let count = counts[mark], count > 0 else { return true }
            counts[mark] = count - 1
            return false
        }
    }

    /// Notes messages that were found in a list; `isPopping` if a pop is under way whose answer may be one of them.
    mutating func adopt(_ deliveries: [Delivery], isPopping: Bool) {
        add(deliveries)
        guard isPopping else { return }
        for delivery in deliveries {
            foundEarly[delivery.place, default: []].insert(Self.mark(delivery.place, delivery.payload))
        }
    }

    /// A pop was answered with this message; whether that had been adopted before.
    mutating func wasAdopted(_ delivery: Delivery) -> Bool {
        foundEarly.removeValue(forKey: delivery.place)?.contains(Self.mark(delivery.place, delivery.payload)) ?? false
    }

    /// The pop on this list has ended without a message.
    mutating func announcesNothing(from place: String) {
        foundEarly[place] = nil
    }

    /// A cheap fingerprint: the end of an envelope holds its delivery tag, which no other message has. Two messages that
    /// share a fingerprint by chance cost at worst that one of them waits for the end of this process.
    private static func mark(_ place: String, _ payload: [UInt8]) -> Int {
        var hasher = Hasher()
        hasher.combine(payload.count)
        payload.suffix(96).withUnsafeBytes { hasher.combine(bytes: $0) }
        return hasher.finalize()
    }
}
