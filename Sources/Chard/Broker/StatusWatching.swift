// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Told of statuses, on any thread; it must not block. A status that was stored while the watch began may come after a newer
/// one, but never after the one that ends its task.
package typealias StatusListener = @Sendable (Result<TaskStatus, any Error>) -> Void

/// A result store that tells of statuses by a callback, on the thread that they come on: whoever waits for one is woken once.
package protocol StatusWatching: ResultStore {
    /// Tells the stored status, then each new one, until the watch is ended or a failure was told.
    ///
    /// - Returns: What ends the watch. What is on its way just then may still be told.
    func watch(_ id: String, _ tell: @escaping StatusListener) -> @Sendable () -> Void
}

extension StatusWatching {
    /// A watch as a stream.
    package func stream(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> {
        AsyncThrowingStream { continuation in
            let end = watch(id) { continuation.yield(with: $0) }
            continuation.onTermination = { _ in end() }
        }
    }
}

extension ResultStore {
    /// The watch of a store that has one, else its stream, read by a task.
    func watchStatus(_ id: String, _ tell: @escaping StatusListener) -> @Sendable () -> Void {
        if let watching = power(.watching) { return watching.watch(id, tell) }
        let task = Task {
            do {
                for try await status in statuses(of: id) { tell(.success(status)) }
                try Task.checkCancellation()
                throw BrokerError(.closed, "the result store was shut down while task \(id) was waited for")
            } catch {
                tell(.failure(error))
            }
        }
        return { task.cancel() }
    }
}

extension TaskStatus {
    /// Reads what a store holds.
    package init(reading payload: [UInt8]) throws(BrokerError) {
        do {
            // It is here already, however long it is: results end at the limit for bodies, with some text around them.
            try self.init(decoding: payload, limits: .held)
        } catch {
            throw BrokerError(.damaged, "a stored status cannot be read: \(error)", underlying: error)
        }
    }
}
