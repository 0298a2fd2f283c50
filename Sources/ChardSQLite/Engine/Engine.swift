// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB
import Logging
import Synchronization

/// The way to the engine's thread.
final class Engine: Sendable {
    let location: SQLiteLocation
    private let opened = OpenFile()
    private let thread: EngineThread

    init(_ location: SQLiteLocation, _ settings: SQLiteSettings, _ logger: Logger) {
        self.location = location
        let inbox = Inbox()
        thread = EngineThread(inbox, EngineLoop(location, settings, inbox, opened, logger))
    }

    deinit {
        thread.stop()
    }

    /// Leaves a job for the thread.
    func submit(_ job: Job) {
        thread.submit(job)
    }

    /// How many changes their callers have made themselves, for tests.
    var doneAtOnce: Int { thread.doneAtOnce.load(ordering: .relaxed) }

    /// Changes the file. When this returns, the change is there; when it throws, nothing of it is.
    ///
    /// - Parameters:
    ///   - durably: Whether the change must outlive a power failure.
    ///   - isSmall: Whether it is so small that a caller who is alone may make it in its own thread.
    ///   - afterwards: What to do on the engine's thread as soon as it is there.
    func write<Value: Sendable>(
        durably: Bool, isSmall: Bool = false,
        _ body: @escaping @Sendable (inout Transaction) throws -> Value,
        afterwards: @escaping @Sendable (EngineLoop, Value) -> Void = { _, _ in }
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(isDurable: durably) { transaction in
                let value = try body(&transaction)
                return { loop in
                    afterwards(loop, value)
                    continuation.resume(returning: value)
                }
            } fail: { error in
                continuation.resume(throwing: error)
            }
            if isSmall { thread.performSoon(job) } else { thread.submit(job) }
        }
    }

    /// Reads the file as it is at one moment; also one that cannot even be opened, for want of room on its disk.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await open().read(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            let trouble = BrokerError(error, at: location.path)
            guard trouble.mayWantRoom else { throw trouble }
            do {
                return try DatabaseFile.readWithoutRoom(location, body)
            } catch {
                throw trouble
            }
        }
    }

    /// Makes sure that the file can be written or, where there is no room, at least read.
    func reach() async throws {
        do {
            try await write(durably: false) { _ in }
        } catch let error as BrokerError where error.mayWantRoom {
            try await read { _ in }
        }
    }

    /// Makes sure that the file is open.
    @discardableResult
    func open() async throws -> DatabasePool {
        if let pool = opened.present { return pool }
        try await write(durably: false) { _ in }
        guard let pool = opened.pool else { throw BrokerError(.closed, "the broker was shut down") }
        return pool
    }

    /// Does what was left before, then closes the file.
    func stop() async {
        thread.stop()
        await thread.end()
    }
}
