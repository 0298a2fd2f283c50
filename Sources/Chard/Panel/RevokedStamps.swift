// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The stamps by which tasks are revoked, as in Celery for as long as a worker runs. While there are none, looking is one atomic
/// read.
final class RevokedStamps: Sendable {
    /// More values are nobody's order: the oldest of a stamp are forgotten.
    private static let most = 10_000

    private let isUsed = Atomic(false)
    private let revoked = Mutex<[String: [JSON]]>([:])

    /// Revokes what bears one of these stamps.
    func add(_ stamps: [String: [JSON]]) {
        revoked.withLock { revoked in
            for (name, values) in stamps where revoked[name] != nil || revoked.count < Self.most {
                let all = (revoked[name] ?? []).filter { !values.contains($0) } + values
                revoked[name] = all.suffix(Self.most)
            }
        }
        isUsed.store(true, ordering: .relaxed)
    }

    func revoke(_ message: TaskMessage) -> Bool {
        guard isUsed.load(ordering: .relaxed), !message.stamps.isEmpty else { return false }
        return revoked.withLock { !Self.common($0, message).isEmpty }
    }

    /// The stamps that a message has in common with these.
    static func common(_ stamps: [String: [JSON]], _ message: TaskMessage) -> [String: [JSON]] {
        message.stamps.reduce(into: [:]) { common, stamp in
            guard let values = stamps[stamp.key] else { return }
            let own = stamp.value.array ?? [stamp.value]
            let shared = own.filter(values.contains)
            if !shared.isEmpty { common[stamp.key] = shared }
        }
    }
}
