// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging
import ServiceLifecycle

extension Outbox {
    /// So many messages are sent in one step.
    private static let step = 200

    /// Sends what transactions leave, until the graceful shutdown; then what is there still.
    ///
    /// Several processes may do so. While the broker is away it is tried again, each second.
    public func run() async throws {
        try await database.write { db in try OutboxTable.forgetProblems(in: db) }
        let steps = signal.steps(every: .seconds(1))
        await withGracefulShutdownHandler {
            var reminder = Reminder()
            for await _ in steps {
                do {
                    while try await relay() > 0 {}
                    reminder = Reminder()
                } catch is CancellationError {
                    return
                } catch {
                    if reminder.isDue() {
                        logger.warning(
                            "the outbox cannot be sent; trying again", metadata: [LogKey.error: "\(error)"])
                    }
                }
            }
        } onGracefulShutdown: {
            self.signal.finish()
        }
        _ = try? await relay()
    }

    /// Sends a step of what waits, the oldest first. Returns how many messages left the outbox.
    @discardableResult
    package func relay() async throws -> Int {
        let now = app.settings.now().timeIntervalSince1970
        let rows = try await database.write { [takeover] db in
            try OutboxTable.take(atMost: Self.step, at: now, takenBefore: now - takeover.seconds, in: db)
        }
        guard !rows.isEmpty else { return 0 }
        do {
            var fresh = rows.filter { !$0.isInDoubt }
            var done = Set<Int64>()
            for row in rows where row.isInDoubt {
                if try await app.find(row.id) == nil { fresh.append(row) } else { done.insert(row.number) }
            }
            if !fresh.isEmpty { done.formUnion(try await send(fresh)) }
            try await database.write { [done] db in try OutboxTable.remove(done, in: db) }
            return done.count
        } catch {
            // Some of them may have been sent: the next step asks for each.
            try? await database.write { db in try OutboxTable.release(rows.map(\.number), in: db) }
            throw error
        }
    }

    /// Sends messages together; where the broker or middleware refuses them for good, each by itself, so that one that cannot be
    /// sent keeps no other. Returns those that were sent.
    private func send(_ rows: [OutboxRow]) async throws -> Set<Int64> {
        do {
            try await app.relay(rows.map { ($0.payload, $0.workerHoldsETA) })
            return Set(rows.map(\.number))
        } catch let error as BrokerError where error.isRetryable || error.code == .closed {
            throw error
        } catch let error where !(error is CancellationError) {
            if rows.count > 1 {
                var sent: Set<Int64> = []
                for row in rows { sent.formUnion(try await send([row])) }
                return sent
            }
            logger.error(
                "a task in the outbox cannot be sent; it stays there, and is tried again when the program starts",
                metadata: [LogKey.taskID: "\(rows[0].id)", LogKey.error: "\(error)"])
            try await database.write { db in try OutboxTable.note(problem: "\(error)", of: rows[0].number, in: db) }
            return []
        }
    }
}
