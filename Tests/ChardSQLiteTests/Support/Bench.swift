// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation
import GRDB
import Synchronization

/// A folder of its own for a test's file, and what opens it.
final class Bench: Sendable {
    let folder: URL
    private let opened = Mutex<[SQLiteBroker]>([])

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "chard-sqlite-\(TaskID.random())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Runs `body` with a bench, and tidies up.
    static func with<Value>(_ body: (Bench) async throws -> Value) async throws -> Value {
        let bench = try Bench()
        do {
            let value = try await body(bench)
            await bench.end()
            return value
        } catch {
            await bench.end()
            throw error
        }
    }

    func end() async {
        for broker in opened.withLock({ $0 }) { await broker.shutdown() }
        try? FileManager.default.removeItem(at: folder)
    }

    var path: String { path("tasks.db") }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Settings by which a lost process is found out soon, and nothing waits for the disk.
    static var quick: SQLiteSettings {
        var settings = SQLiteSettings()
        settings.synchronous = .normal
        settings.lease = .milliseconds(1_500)
        settings.heartbeat = .milliseconds(300)
        settings.recovery = .milliseconds(200)
        settings.busyTimeout = .seconds(20)
        return settings
    }

    /// One more process's view of the file.
    func broker(_ change: (inout SQLiteSettings) -> Void = { _ in }) -> SQLiteBroker {
        var settings = Self.quick
        change(&settings)
        let broker = SQLiteBroker(SQLiteLocation(path: path), settings: settings)
        opened.withLock { $0.append(broker) }
        return broker
    }

    func consumer(
        _ queues: [String] = ["q"], of broker: SQLiteBroker? = nil, node: String = "node@host"
    ) async throws -> any Consumer {
        try await (broker ?? self.broker()).consumer(for: Self.subscription(queues, node: node))
    }

    static func subscription(_ queues: [String] = ["q"], node: String = "node@host") -> Subscription {
        Subscription(queues: queues, node: node, concurrency: 2, startedAt: Date())
    }

    static func message(
        _ id: String, queue: String = "q", priority: Int = 0, dueAt: Date? = nil
    ) -> OutgoingMessage {
        let message = TaskMessage(task: "t", id: id, body: MessageBody(), queue: queue)
        return OutgoingMessage(id: id, queue: queue, priority: priority, dueAt: dueAt, payload: message.encoded())
    }

    /// A connection of another program's.
    func stranger() throws -> DatabaseQueue {
        var configuration = Configuration()
        // It keeps one open on purpose.
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: path, configuration: configuration)
    }
}

extension Delivery {
    var id: String? { (try? TaskMessage(decoding: payload))?.id }
}
