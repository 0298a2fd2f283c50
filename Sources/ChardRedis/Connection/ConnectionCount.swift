// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts connections to a server, whatever they are for.
final class ConnectionCount: Sendable {
    private let count = Atomic(0)
    private let again = Atomic(0)

    /// How many are open.
    var open: Int { count.load(ordering: .relaxed) }
    /// How often one was opened in place of another that was lost.
    var reconnects: Int { again.load(ordering: .relaxed) }

    func opened() { count.add(1, ordering: .relaxed) }
    func closed() { count.subtract(1, ordering: .relaxed) }
    func reconnected() { again.add(1, ordering: .relaxed) }
}
