// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Headers that Celery has given another id", .timeLimit(.minutes(1)))
struct RenamedHeaderTests {
    private let app: Chard
    private let broker: MemoryBroker
    private let told = Recorder<String>()

    init() { (app, broker) = makeApp() }

    /// The signature of the body for which two chords wait, `first` and `second`, under the id "old" in the record.
    private func prepare() async throws -> Canvas {
        _ = app.task("tell") { [told] (id: String) in told.add(id) }
        _ = app.task("double") { (x: Int) in 2 * x }
        var tell = Canvas(task: "tell")
        tell.options["queue"] = JSONText.string("celery")
        var body = Canvas(task: "sum")
        body.options[.taskID] = JSONText.string("body")
        body.append(errbacks: [tell.encoded()])
        let lifetime = Duration.seconds(60)
        let plan = WorkflowPlan.chain([
            .group(id: "old", [.task(id: "first", name: "sum"), .task(id: "second", name: "double")]),
            .task(id: "body", name: "sum"),
        ])
        let part = WorkflowRecord.Part(plan, sentAt: .now, parent: nil)
        var changes = [try #require(part.change(.keep, of: "workflow", as: "workflow", timeToLive: lifetime))]
        for id in ["first", "second"] {
            var untold = Canvas(task: "sum")
            untold.options[.taskID] = JSONText.string(id)
            untold.options[.groupID] = JSONText.string("old")
            untold.options[.chord] = body.encoded()
            untold.options["ignore_result"] = JSON.bool(true).encoded()[...]
            let text = Array(JSONText.array([untold.encoded()]))
            changes.append(RecordChange(.keep, "workflow", FailureNotice.value(id), text, timeToLive: lifetime))
        }
        try await broker.change(changes)
        return body
    }

    private func send(_ task: String, id: String, _ body: MessageBody, group: String? = nil) async throws {
        var message = TaskMessage(task: task, id: id, body: body, queue: "celery")
        message.rootID = "workflow"
        message.group = group
        message.groupIndex = group.map { _ in 1 }
        try await broker.send([OutgoingMessage(id: id, queue: "celery", payload: message.encoded())])
    }

    /// As Python does it: the failure of the body of a chord is stored without its group, and its errback sent.
    private func fail(_ id: String) async throws {
        let error = TaskError("ValueError", "no", module: "builtins")
        let status = TaskStatus(id: id, state: .failure, result: error.info.json.encoded())
        try await broker.store([StatusRecord(status, timeToLive: .seconds(60))])
        let keywords: [(String, [UInt8])] = [
            ("workflow", Array(JSONText.string("workflow"))), ("notice", Array(JSONText.string(id))),
        ]
        try await send(
            FailureNotice.task, id: "notice-\(id)",
            MessageBody(positional: [Array(JSONText.string(id))], keywords: keywords))
    }

    @Test("a failure is counted under the id that another member says, once one has ended")
    func renamed() async throws {
        let body = try await prepare()
        try await broker.open([JoinOpening(group: "new", size: 2, timeToLive: .seconds(60))])
        try await withWorker(app) { _ in
            try await fail("first")
            try await eventually("the notice waits for the other member") {
                try await broker.status(of: "notice-first")?.state == .retry
            }
            #expect(try await broker.status(of: "body") == nil)
            var call = MessageBody(positional: [Array("21".utf8)])
            call.embed.chord = body.encoded()
            try await send("double", id: "second", call, group: "new")
            try await eventually("the body has failed") {
                try await broker.status(of: "body")?.state == .failure
            }
            try await eventually("its errback was called") { told.all == ["body"] }
        }
        let error = try #require(try await broker.status(of: "body")?.error)
        #expect(error.type == "ChordError" && error.message == "Dependency first raised ValueError('no')")
    }

    @Test("where no member says an id the first one fails the body, once")
    func unsaid() async throws {
        _ = try await prepare()
        try await withWorker(app) { _ in
            try await fail("second")
            try await fail("first")
            try await eventually("both notices have ended") {
                for id in ["notice-first", "notice-second"] {
                    guard try await broker.status(of: id)?.state != .retry else { return false }
                }
                return try await broker.queues().allSatisfy { $0.waiting + $0.leased + $0.delayed == 0 }
            }
        }
        let error = try #require(try await broker.status(of: "body")?.error)
        #expect(error.type == "ChordError" && error.message == "Dependency first raised ValueError('no')")
        #expect(told.all == ["body"])
    }

    @Test("a group that the record does not have keeps its id")
    func unknown() throws {
        #expect(RenamedHeader("other", in: [:]) == nil)
    }
}
