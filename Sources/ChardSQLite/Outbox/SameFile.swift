// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB
import Synchronization

/// Wakes whoever sends an outbox: when something was left in it here and, for what other processes leave, each second.
final class OutboxSignal: Sendable {
    private let steps: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation
    private let timer = Mutex<Task<Void, Never>?>(nil)

    init() {
        // One step deals with all that was left before it.
        (steps, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func give() { continuation.yield() }

    func finish() {
        timer.withLock { $0?.cancel() }
        continuation.finish()
    }

    func steps(every pause: Duration) -> AsyncStream<Void> {
        timer.withLock { timer in
            timer = Task { [continuation] in
                while !Task.isCancelled {
                    continuation.yield()
                    guard (try? await Task.sleep(for: pause)) != nil else { return }
                }
            }
        }
        return steps
    }
}

/// Whether an app's broker keeps its messages in the file that a transaction is about, once that is known.
final class SameFile: Sendable {
    private let known = Mutex<(broker: ObjectIdentifier, isSame: Bool)?>(nil)

    /// The broker, if it does.
    func find(of app: Chard, from db: Database) throws -> SQLiteBroker? {
        guard let broker = try app.broker as? SQLiteBroker else { return nil }
        if let known = known.withLock({ $0 }), known.broker == ObjectIdentifier(broker) {
            return known.isSame ? broker : nil
        }
        let isSame = try isSame(broker, db)
        known.withLock { $0 = (ObjectIdentifier(broker), isSame) }
        return isSame ? broker : nil
    }

    private func isSame(_ broker: SQLiteBroker, _ db: Database) throws -> Bool {
        let path = try String.fetchOne(db, sql: "SELECT file FROM pragma_database_list WHERE name = 'main'") ?? ""
        guard let file = SystemFile(path).identity, SystemFile(broker.engine.location.path).identity == file else {
            return false
        }
        return try db.tableExists("waiting") && db.tableExists("delayed")
    }
}

extension SQLiteBroker {
    /// Writes messages in somebody's transaction on the broker's own file. Returns what has to be told after its commit.
    func send(_ messages: [OutgoingMessage], in db: Database) throws -> News {
        var transaction = Transaction(db, settings: settings)
        try transaction.note(Set(messages.map(\.queue)))
        try transaction.send(messages)
        try transaction.finish()
        return transaction.news
    }

    /// Tells those who wait, here and in other processes.
    func tell(_ news: News) {
        engine.submit(
            Job(isDurable: false) { _ in
                { loop in loop.tell(news) }
            } fail: { _ in
                // It is found on the next patrol.
            })
    }
}
