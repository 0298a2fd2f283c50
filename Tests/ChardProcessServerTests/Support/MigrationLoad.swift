// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation
import TestServers
import Testing

/// Something of every kind that can be moved, to be put into one broker and found in another.
struct MigrationLoad {
    let waiting: [OutgoingMessage]
    let scheduled: [OutgoingMessage]
    let letters: [DeadLetter]
    let schedules: [ScheduleRecord]
    let statuses: [(id: String, json: String, timeToLive: Duration?)]

    init() {
        let noise: [UInt8] = [0, 255, 10, 13, 128]
        waiting =
            (0..<30).map { number in
                let message = RawMessage("t", [.string("é\u{1F98A}\n\(number)")])
                return OutgoingMessage(
                    id: message.id, queue: "celery", priority: Priority.steps[number % 4],
                    payload: number == 7 ? noise : message.payload + [10])
            }
            + (0..<5).map { number in
                OutgoingMessage(
                    id: "mail-\(number)", queue: "mail", payload: RawMessage("m", [.integer(number)]).payload)
            }
        let due = Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded() + 3600.25)
        scheduled = [("celery", 0), ("mail", 3), ("mail", 9)].enumerated().map { index, place in
            let message = RawMessage("later", [.integer(index)])
            return OutgoingMessage(
                id: message.id, queue: place.0, priority: place.1, dueAt: due.addingTimeInterval(Double(index)),
                payload: message.payload)
        }
        letters = ["celery", "mail"].map { queue in
            DeadLetter(
                id: "dead-\(queue)", taskID: "dead-\(queue)", task: "t", queue: queue, reason: .badArguments,
                error: "no \"x\" given", attempts: 2, worker: "w@h",
                diedAt: Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded() - 86_400),
                payload: noise + [7])
        }
        schedules = Self.makeSchedules()
        statuses = [
            ("kept", #"{"status": "SUCCESS", "result": {"a": 1.50}, "task_id": "kept"}"#, nil),
            ("failed", #"{"status":"FAILURE","result":{},"task_id":"failed"}"#, .seconds(5000)),
            ("odd*[?", #"{"status": "PROGRESS", "result": "\u00e9"}"#, .seconds(9000)),
        ]
    }

    func put(into broker: SQLiteBroker) async throws {
        // A letter comes of a message that somebody holds.
        for letter in letters {
            try await broker.send([OutgoingMessage(id: "", queue: letter.queue, payload: letter.payload)])
            let consumer = try await broker.consumer(
                for: Subscription(queues: [letter.queue], node: "w@h", concurrency: 1, startedAt: Date()))
            let held = try await consumer.claim(upTo: 1)
            _ = try await consumer.settle(held.map { Settlement($0, [.bury(letter)]) })
            await consumer.close()
        }
        try await broker.send(waiting + scheduled)
        try await broker.store(
            statuses.map { StatusRecord(of: $0.id, stored: Array($0.json.utf8), timeToLive: $0.timeToLive) })
        try await broker.revoke(["never"], terminating: false, timeToLive: .seconds(3000))
        try await broker.pause("mail")
        for record in schedules {
            let isKept = try await broker.keepWhole(record, replacing: 0)
            #expect(isKept)
        }
    }

    func expect(in broker: SQLiteBroker) async throws {
        for queue in ["celery", "mail"] {
            let isPaused = try await broker.queues().first { $0.queue == queue }?.isPaused
            #expect(isPaused == (queue == "mail"))
            try await broker.resume(queue)
            // The last of the most urgent: before all others, unless those have lost their priorities on the way.
            let late = OutgoingMessage(id: "late", queue: queue, payload: RawMessage("late").payload)
            try await broker.send([late])
            let expected = Priority.steps.flatMap { step in
                (waiting + [late]).filter { $0.queue == queue && $0.priority == step }.map(\.payload)
            }
            let found = try await broker.claimAll(queue)
            #expect(found == expected, "\(queue)")
        }
        let later = try await broker.delayedTasks(in: nil, limit: 10)
        #expect(later.map(\.name) == scheduled.map(\.id) && later.map(\.queue) == scheduled.map(\.queue))
        #expect(later.map(\.dueAt) == scheduled.compactMap(\.dueAt) && later.map(\.payload) == scheduled.map(\.payload))
        #expect(later.map(\.priority) == scheduled.map(\.priority))
        for letter in letters {
            let found = try await broker.deadLetters(in: letter.queue, limit: 10)
            #expect(found == [letter])
        }
        let stored = try await broker.storedStatuses(from: nil).statuses
        #expect(stored.map(\.id).sorted() == statuses.map(\.id).sorted())
        for (id, json, timeToLive) in statuses {
            let found = try #require(stored.first { $0.id == id })
            #expect(String(decoding: found.json, as: UTF8.self) == json)
            let left = found.timeToLive.map { $0 / .seconds(1) }
            guard let timeToLive = timeToLive.map({ $0 / .seconds(1) }) else {
                #expect(left == nil)
                continue
            }
            let seconds = try #require(left)
            #expect(seconds <= timeToLive && seconds > timeToLive - 120)
        }
        #expect(try await broker.revocations().map(\.id) == ["never"])
        try await expectSchedules(in: broker)
    }

    /// One that has run, one that was dropped only, one of a program that the operator has changed, one that was removed.
    private static func makeSchedules() -> [ScheduleRecord] {
        func record(
            _ name: String, _ progress: ScheduleRecord.Progress, _ change: (inout ScheduleRecord) -> Void
        ) -> ScheduleRecord {
            var record = ScheduleRecord(name)
            record.progress = progress
            change(&record)
            return record
        }
        func schedule(_ name: String, _ seconds: Int) -> Schedule {
            Schedule(name, .every(.seconds(seconds)), call: PeriodicCall("t", queue: "celery"))
        }
        return [
            record("a report", .init(last: 1_790_000_060_000, sent: 0, dropped: 3)) {
                $0.change = schedule("a report", 3600)
            },
            record(
                "b \u{e9}", .init(last: 7, sentTick: 6, sentAt: 9, taskID: "kept", sent: 41, dropped: 2)
            ) { $0.change = schedule("b \u{e9}", 7200) },
            record("c code", .init(last: 1_790_000_060_001, sentTick: 5, sentAt: 5, taskID: "x", sent: 1)) {
                $0.app = "shop"
                $0.code = schedule("c code", 60)
                $0.change = schedule("c code", 90)
                $0.isPaused = true
            },
            record("d removed", .init(last: 1)) {
                $0.app = "shop"
                $0.code = schedule("d removed", 60)
                $0.isRemoved = true
            },
        ]
    }

    func expectSchedules(in broker: some ScheduleStore) async throws {
        let found = try await broker.schedules().records.map { record in
            var record = record
            record.version = 0
            return record
        }
        #expect(found == schedules)
    }
}

extension Broker {
    /// Takes everything that waits in a queue out of it, in the order in which workers would get it.
    func claimAll(_ queue: String) async throws -> [[UInt8]] {
        let consumer = try await consumer(
            for: Subscription(queues: [queue], node: "reader@here", concurrency: 1, startedAt: Date()))
        var payloads: [[UInt8]] = []
        while try await !consumer.isDrained() {
            let held = try await consumer.claim(upTo: 1000)
            payloads += held.map(\.payload)
            _ = try await consumer.settle(held.map { Settlement($0) })
        }
        await consumer.close()
        return payloads
    }
}

/// SQLite files in a directory of their own, removed at the end.
struct Files {
    private let directory: String

    static func with(_ body: (Files) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/migration-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await body(Files(directory: directory))
    }

    func url(_ name: String) -> String { "sqlite:///\(directory)/\(name)" }

    func broker(_ name: String) -> SQLiteBroker { SQLiteBroker(SQLiteLocation(path: "\(directory)/\(name)")) }
}
