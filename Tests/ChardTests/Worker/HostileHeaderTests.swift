// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Headers that would overflow what reckons with them", .fewAtATime, .timeLimit(.minutes(3)))
struct HostileHeaderTests {
    static let headers: [(String, JSON)] = [
        ("retries", -1), ("retries", .integer(.max)), ("retries", .integer(.min)), ("retries", .bigInteger("9e99")),
        ("retries", "three"), ("chard_losses", .integer(.max)), ("chard_losses", -5),
        ("timelimit", [1e300, 1e299]), ("timelimit", [.number(.infinity), .number(.nan)]), ("timelimit", [0, 0]),
        ("timelimit", [-1, -1]), ("timelimit", [1e18, nil]), ("timelimit", ["x", [:]]), ("timelimit", []),
        ("expires", "9999-12-31T23:59:59.999999+00:00"), ("eta", "0001-01-01T00:00:00+00:00"),
        ("group_index", .integer(.max)), ("replaced_task_nesting", .integer(.max)),
        (RetryPolicy.header, ["max": 1e300, "initial": 1e300]),
    ]

    private func payload(_ task: String, _ header: String, _ value: JSON) throws -> [UInt8] {
        let message = TaskMessage(task: task, id: "id", body: MessageBody(), queue: "celery")
        var envelope = try JSON(parsing: message.encoded())
        envelope["headers"]?[header] = value
        return envelope.encoded()
    }

    @Test("such a message runs", arguments: headers)
    func runs(_ header: String, _ value: JSON) async throws {
        let (app, broker) = makeApp()
        app.task("t") { (context: TaskContext) in context.attempt }
        try await broker.send([OutgoingMessage(id: "id", queue: "celery", payload: payload("t", header, value))])
        try await withWorker(app) { _ in
            let attempt = try await app.result(of: "id").value(timeout: .seconds(20))
            #expect(attempt.integer.map { $0 >= 1 } == true)
        }
    }

    @Test("such a message fails, retries and is lost without harm", arguments: headers)
    func fails(_ header: String, _ value: JSON) async throws {
        let (app, broker) = makeApp()
        let retry = RetryPolicy.constant(maxRetries: .max, delay: .seconds(3600))
        app.task("t", options: TaskOptions(retry: retry)) { () -> Int in throw TaskError("E", "") }
        let payload = try payload("t", header, value)
        try await broker.send([OutgoingMessage(id: "id", queue: "celery", payload: payload)])
        try await withWorker(app) { _ in
            try await eventually("it was tried") { try await broker.status(of: "id") != nil }
            #expect(try await broker.status(of: "id")?.state == .retry)
        }
        let held = OutgoingMessage(id: "id", queue: "celery", payload: payload)
        let recovery = Recovery(of: held, from: "n", maximumLosses: .max, noted: ["id"], seal: .random(), now: Date())
        #expect(try TaskMessage(decoding: try #require(recovery.form, "it was put aside")).losses >= 1)
    }

    @Test("limits that make no sense count as none, the task's own hold then")
    func limits() throws {
        let app = Chard("app")
        app.task("t", options: TaskOptions(softTimeLimit: .seconds(1), timeLimit: .seconds(2))) { () in 1 }
        let task = try #require(app.registry["t"])
        var message = TaskMessage(task: "t", body: MessageBody(), queue: "q")
        for (hard, soft) in [(nil, nil), (0, 0), (-3, -3), (1e300, .nan), (.infinity, -.infinity)]
            as [(Double?, Double?)]
        {
            message.timeLimits = TaskMessage.TimeLimits(hard: hard, soft: soft)
            let limits = RunLimits(message, task)
            #expect(limits.soft == .seconds(1) && limits.hard == .seconds(2))
        }
        message.timeLimits = TaskMessage.TimeLimits(hard: 30, soft: 0.5)
        #expect(RunLimits(message, task).hard == .seconds(30))
        #expect(RunLimits(message, task).soft == .milliseconds(500))
    }
}
