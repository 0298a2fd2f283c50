// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB
import Synchronization

/// The pool of connections, once the file is open. The engine's thread writes; others read.
final class OpenFile: Sendable {
    private let state = Mutex<(pool: DatabasePool, identity: SystemFile.Identity?)?>(nil)

    var pool: DatabasePool? { state.withLock { $0?.pool } }

    /// The pool, if what it has open is still the file at its path: another may have taken its place.
    var present: DatabasePool? {
        guard let (pool, identity) = state.withLock({ $0 }) else { return nil }
        return SystemFile(pool.path).identity == identity ? pool : nil
    }

    func opened(_ pool: DatabasePool) {
        let identity = SystemFile(pool.path).identity
        state.withLock { $0 = (pool, identity) }
    }

    func abandon() {
        state.withLock { $0 = nil }
    }
}
