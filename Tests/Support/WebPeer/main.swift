// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// A program of an app that keeps files and an outbox, for tests with several of its processes.

import ArgumentParser
import Chard
import ChardCommand
import ChardSQLite
import Foundation
import GRDB

let app = Chard("peer")
app.use(files: FolderStore(ProcessInfo.processInfo.environment["PEER_FILES"] ?? "files"))
/// The size of a file, once it could be read `failures` times.
let measure = app.task("peer.measure", options: TaskOptions(retry: .constant(maxRetries: 3, delay: .milliseconds(100))))
{
    (context: TaskContext, file: StoredFile, failures: Int) in
    let bytes = try await context.contents(of: file)
    guard context.attempt > failures else { throw TaskError("Refused", "attempt \(context.attempt)") }
    return bytes.count
}
let note = app.task("peer.note", options: TaskOptions(ignoresResult: true)) { (_: Int) in }

/// Sends a file of so many bytes, and prints what comes of it.
struct Measure: AsyncParsableCommand {
    @Argument var size: Int
    @Option var failures = 0
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let file = try await app.files.keep([UInt8](repeating: 7, count: size), name: "seven")
            let result = try await measure.enqueue(file, failures)
            do {
                print(file.key, try await result.value(timeout: .seconds(20)))
            } catch let error as TaskError {
                print(file.key, error.type)
            }
            try await app.broker.shutdown()
        }
    }
}

/// Opens a database that others write as well.
func open(_ database: String) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    return try DatabasePool(path: database, configuration: configuration)
}

/// Writes rows, each with a task, as fast as it can, until it is killed; every third transaction is rolled back.
struct Write: AsyncParsableCommand {
    @Argument var database: String
    @OptionGroup var common: CommonOptions

    private struct Rollback: Error {}

    func run() async throws {
        try await common.withApp { app in
            try await app.broker.connect()
            let pool = try open(database)
            try await pool.write { try $0.execute(sql: "CREATE TABLE IF NOT EXISTS entry (id INTEGER PRIMARY KEY)") }
            let outbox = try Outbox(app, in: pool, takeover: .seconds(1))
            async let relaying: Void = outbox.run()
            var number = try await pool.read { try Int.fetchOne($0, sql: "SELECT max(id) FROM entry") ?? 0 }
            while true {
                number += 1
                do {
                    try await pool.write { [number] db in
                        try db.execute(sql: "INSERT INTO entry VALUES (?)", arguments: [number])
                        let isRolledBack = number % 3 == 0
                        let id = isRolledBack ? "rolled-back-\(number)" : "entry-\(number)"
                        try outbox.enqueue(note.signature(number, id: id), in: db)
                        if isRolledBack { throw Rollback() }
                    }
                } catch is Rollback {}
            }
            try await relaying
        }
    }
}

/// Sends what the outbox of a database holds.
struct Relay: AsyncParsableCommand {
    @Argument var database: String
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let outbox = try Outbox(app, in: try open(database), takeover: .seconds(1))
            let relaying = Task { try await outbox.run() }
            while try await outbox.count() > 0 { try await Task.sleep(for: .milliseconds(20)) }
            relaying.cancel()
            try await app.broker.shutdown()
        }
    }
}

await app.main(commands: [Measure.self, Write.self, Relay.self])
