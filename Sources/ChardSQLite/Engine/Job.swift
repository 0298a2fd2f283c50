// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A piece of work on the file, which shares a transaction with whatever else is to be done at the same moment.
struct Job: Sendable {
    /// What to do once the transaction is committed, on the engine's thread.
    typealias Afterwards = @Sendable (EngineLoop) -> Void

    /// Whether it must be on the disk before it counts: a power failure must not undo it.
    var isDurable: Bool
    /// The work. It may be done again, after a rollback, and so changes nothing but the file.
    var perform: @Sendable (inout Transaction) throws -> Afterwards
    /// Told when it cannot be done.
    var fail: @Sendable (BrokerError) -> Void

    /// Makes sure that the file is open.
    static let nothing = Job(isDurable: false) { _ in
        { _ in }
    } fail: { _ in
    }
}
