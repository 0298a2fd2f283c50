// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

/// Calls out when a lease has not been renewed in time, from a thread that neither a task nor a standing disk can block.
///
/// The clock goes on while the machine sleeps. A tenth of the lease is left for acting on its end.
final class LeaseGuard: Sendable {
    private let trusted: Duration
    private let renewedAt: Mutex<ContinuousClock.Instant>
    private let queue = DispatchQueue(label: "chard.sqlite.lease")

    init(lease: Duration, renewedAt: ContinuousClock.Instant) {
        trusted = lease * 0.9
        self.renewedAt = Mutex(renewedAt)
    }

    /// A renewal that began at `start` was written.
    func renewed(at start: ContinuousClock.Instant) {
        renewedAt.withLock { $0 = max($0, start) }
    }

    private var left: Duration { renewedAt.withLock { $0 + trusted - .now } }

    var holds: Bool { left > .zero }

    /// Calls `ended` once when the lease is over, unless it answers `false` to being asked whether to go on.
    func watch(_ ended: @escaping @Sendable () -> Void, while isWanted: @escaping @Sendable () -> Bool) {
        queue.asyncAfter(deadline: .now() + max(0, left.seconds)) { [weak self] in
            guard let self, isWanted() else { return }
            if holds { watch(ended, while: isWanted) } else { ended() }
        }
    }
}
