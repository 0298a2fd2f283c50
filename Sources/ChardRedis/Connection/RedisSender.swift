// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// What commands can be sent through: a ``RedisConnection``, or a ``RedisClient`` that finds a connection itself.
package protocol RedisSender: Sendable {
    /// Where replies arrive: futures complete there, and nothing may block it.
    var eventLoop: any EventLoop { get }

    /// Sends a batch, now or when it can be sent.
    func submit(_ batch: RedisBatch)

    /// Closes the connection that still owes this batch a reply.
    func giveUp(_ batch: RedisBatch)
}

extension RedisSender {
    /// Sends commands in one piece and returns a reply for each; a command's own error is one of the values.
    ///
    /// Throws if there is no connection or it ends before the last reply. A cancelled caller gets
    /// ``RedisError/Code/cancelled`` at once; its replies are dropped when they come.
    ///
    /// - Parameter blockFor: How long the server may keep these commands waiting, if one of them blocks. They hold up
    ///   everyone on the same connection, and their cancellation closes it.
    package func pipeline(
        _ commands: [RedisCommand], blockFor: Duration? = nil
    ) async throws(RedisError) -> [RESPValue] {
        if commands.isEmpty { return [] }
        let batch = RedisBatch(commands, blockFor: blockFor)
        return try await withTaskCancellationHandler {
            await result(of: batch)
        } onCancel: {
            if batch.complete(.failure(.cancelled())), batch.blockFor != nil { giveUp(batch) }
        }.get()
    }

    /// Sends one command and returns its reply; throws its error.
    package func send(_ command: RedisCommand, blockFor: Duration? = nil) async throws(RedisError) -> RESPValue {
        guard let reply = try await pipeline([command], blockFor: blockFor).first else { return .null }
        return try reply.get()
    }

    /// Sends one command and returns its reply, also where the caller is cancelled: for what must be learnt once it may have
    /// been done.
    package func sendWhatever(_ command: RedisCommand) async throws(RedisError) -> RESPValue {
        guard let reply = try await result(of: RedisBatch([command], blockFor: nil)).get().first else { return .null }
        return try reply.get()
    }

    private func result(of batch: RedisBatch) async -> Result<[RESPValue], RedisError> {
        await withCheckedContinuation { continuation in
            batch.whenComplete { continuation.resume(returning: $0) }
            submit(batch)
        }
    }

    /// Runs a script, which is loaded if the server does not know it.
    package func run<each Argument: RedisArgument>(
        _ script: RedisScript, keys: [String], _ arguments: repeat each Argument
    ) async throws(RedisError) -> RESPValue {
        try await send(script.command(keys: keys, repeat each arguments))
    }

    /// Sends commands without waiting: the future completes on ``eventLoop`` and never touches Swift's task pool.
    package func submit(_ commands: [RedisCommand], blockFor: Duration? = nil) -> EventLoopFuture<[RESPValue]> {
        let promise = eventLoop.makePromise(of: [RESPValue].self)
        let batch = RedisBatch(commands, blockFor: blockFor)
        batch.whenComplete { promise.completeWith($0.mapError { $0 as any Error }) }
        if commands.isEmpty { batch.complete(.success([])) } else { submit(batch) }
        return promise.futureResult
    }
}

extension RedisError {
    /// The waiting task was cancelled.
    static func cancelled() -> RedisError {
        RedisError(code: .cancelled, message: "the waiting task was cancelled", underlying: CancellationError())
    }
}
