// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import Synchronization

/// Commands that travel together: written in one piece, answered all at once.
///
/// It is completed exactly once: by its replies, by the end of the connection, by a deadline, or by the cancellation of
/// whoever waits for it; whatever comes later finds it finished and is dropped.
package final class RedisBatch: Sendable {
    let commands: [RedisCommand]
    /// The commands in RESP.
    let bytes: ByteBuffer
    /// How long the server may keep one of these commands waiting; nil if none of them blocks.
    let blockFor: Duration?
    /// Whether any command may have to load its script first.
    let hasScripts: Bool
    /// Whether it is the second try of commands whose scripts were not known.
    let isSendingScripts: Bool
    private let outcome = Mutex(PendingAnswer<[RESPValue], RedisError>.open)

    init(_ commands: [RedisCommand], blockFor: Duration? = nil, isSendingScripts: Bool = false) {
        self.isSendingScripts = isSendingScripts
        self.commands = commands
        self.blockFor = blockFor
        hasScripts = commands.contains { $0.script != nil }
        bytes = ByteBuffer(commands)
    }

    /// Sets who is told of the replies.
    func whenComplete(_ completion: @escaping @Sendable (Result<[RESPValue], RedisError>) -> Void) {
        if let known = outcome.withLock({ $0.await(completion) }) { completion(known) }
    }

    /// Finishes the batch; false if it was finished before.
    @discardableResult
    func complete(_ result: Result<[RESPValue], RedisError>) -> Bool {
        outcome.withLock { $0.give(result) }.tell(result)
    }

    /// Whether nobody waits for it any more.
    var isFinished: Bool { outcome.withLock { $0.isGiven } }
}
