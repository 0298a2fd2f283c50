// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import Synchronization

extension RedisBroker: StatusWatching {
    /// Stores and publishes statuses in one step.
    public func store(_ statuses: [StatusRecord]) async throws {
        guard !statuses.isEmpty else { return }
        _ = try await server.ask(writing(Effects(statuses), now: 0))
    }

    /// The stored status.
    public func status(of id: String) async throws -> TaskStatus? {
        let reply = try await translatingErrors { () throws(RedisError) in
            try await client.send(RedisCommand("GET", keys.status(id)))
        }
        return try reply.bytes.map(TaskStatus.init(reading:))
    }

    /// The stored status, then each new one, over one shared connection.
    public func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> { stream(of: id) }

    package func watch(_ id: String, _ tell: @escaping StatusListener) -> @Sendable () -> Void {
        let reader = StatusReader(keys.status(id), client, tell)
        let subscription = server.subscriber.listen(to: keys.status(id)) { payload in
            reader.tell(Result { try TaskStatus(reading: payload) })
        } whenSubscribed: {
            // Read once the server listens for us: what is stored in between is seen twice rather than never.
            reader.read()
        } onEnd: { error in
            reader.tell(.failure(BrokerError(error)))
        }
        return {
            reader.end()
            subscription.cancel()
        }
    }

    /// Deletes the stored status.
    public func forget(_ id: String) async throws -> Bool {
        try await translatingErrors { () throws(RedisError) in
            try await client.send(RedisCommand("DEL", keys.status(id)))
        }.integer == 1
    }
}

/// Reads a stored status for one who listens to it, and tries again where that is in vain for the moment.
private final class StatusReader: Sendable {
    private let key: String
    private let client: RedisClient
    private let listener: StatusListener
    private let isOver = Atomic(false)
    /// How often it was to read: only for the last time it goes on trying.
    private let round = Atomic(0)

    init(_ key: String, _ client: RedisClient, _ listener: @escaping StatusListener) {
        self.key = key
        self.client = client
        self.listener = listener
    }

    func end() { isOver.store(true, ordering: .relaxed) }

    func tell(_ status: Result<TaskStatus, any Error>) {
        if !isOver.load(ordering: .relaxed) { listener(status) }
    }

    func read() {
        read(inRound: round.add(1, ordering: .relaxed).newValue)
    }

    private func read(inRound number: Int) {
        guard !isOver.load(ordering: .relaxed), round.load(ordering: .relaxed) == number else { return }
        client.submit([RedisCommand("GET", key)]).whenComplete { result in
            do {
                guard let payload = try result.get()[0].get().bytes else { return }
                self.tell(.success(try TaskStatus(reading: payload)))
            } catch let error as RedisError {
                guard error.isRetryable else { return self.tell(.failure(BrokerError(error))) }
                self.client.eventLoop.scheduleTask(in: .seconds(1)) { self.read(inRound: number) }
            } catch {
                self.tell(.failure(error))
            }
        }
    }
}
