// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import GRDB
import Logging
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

/// The way to the engine's thread, which starts with the first call.
final class Engine: Sendable {
    let location: SQLiteLocation
    private let mailbox = Mailbox()
    private let opened = OpenFile()
    private let start: Mutex<(@Sendable () -> Void)?>
    private let ended = DispatchGroup()

    init(_ location: SQLiteLocation, _ settings: SQLiteSettings, _ logger: Logger) {
        self.location = location
        start = Mutex { [mailbox, opened, ended] in
            // A serial queue has a thread of its own for as long as this loop runs.
            DispatchQueue(label: "chard.sqlite").async(group: ended) {
                EngineLoop(location, settings, mailbox, opened, logger).run()
            }
        }
    }

    deinit {
        mailbox.stop()
    }

    /// Leaves a job for the thread.
    func submit(_ job: Job) {
        let start = start.withLock { start in
            defer { start = nil }
            return start
        }
        start?()
        if !mailbox.add(job) { job.fail(BrokerError(.closed, "the broker was shut down")) }
    }

    /// Changes the file. When this returns, the change is there; when it throws, nothing of it is.
    ///
    /// - Parameters:
    ///   - durably: Whether the change must outlive a power failure.
    ///   - afterwards: What to do on the engine's thread as soon as it is there.
    func write<Value: Sendable>(
        durably: Bool, _ body: @escaping @Sendable (inout Transaction) throws -> Value,
        afterwards: @escaping @Sendable (EngineLoop, Value) -> Void = { _, _ in }
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            submit(
                Job(isDurable: durably) { transaction in
                    let value = try body(&transaction)
                    return { loop in
                        afterwards(loop, value)
                        continuation.resume(returning: value)
                    }
                } fail: { error in
                    continuation.resume(throwing: error)
                })
        }
    }

    /// Reads the file as it is at one moment.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Database) throws -> Value) async throws -> Value {
        do {
            return try await open().read(body)
        } catch let error as CancellationError {
            throw error
        } catch {
            throw BrokerError(error, at: location.path)
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
        mailbox.stop()
        await withCheckedContinuation { continuation in
            ended.notify(queue: .global()) { continuation.resume() }
        }
    }
}
