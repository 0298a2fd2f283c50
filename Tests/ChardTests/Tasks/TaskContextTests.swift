// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization
import Testing

@testable import Chard

@Suite("What a running task knows of itself")
struct TaskContextTests {
    private let pool = BlockingPool(limit: 1)
    private let reports = Recorder<TaskStatus>()

    private func context(_ cancellation: Cancellation = Cancellation()) -> TaskContext {
        TaskContext.forTests(blockingPool: pool, cancellation: cancellation) { [reports] in reports.add($0) }
    }

    @Test("progress has the shape that Celery's users expect")
    func progress() async throws {
        try await context().progress(3, of: 10)
        let status = try #require(reports.all.first)
        #expect(status.id == "id-1")
        #expect(status.state == .progress)
        #expect(status.result == ["current": 3, "total": 10])
    }

    struct Meta: Encodable, Sendable {
        var step: String
    }

    @Test("own states carry anything encodable")
    func ownState() async throws {
        try await context().setState(TaskState(rawValue: "BREWING"), meta: Meta(step: "steep"))
        #expect(reports.all.first?.state.rawValue == "BREWING")
        #expect(reports.all.first?.result == ["step": "steep"])
    }

    @Test("ready states are refused", arguments: [TaskState.success, .failure, .revoked])
    func readyStates(_ state: TaskState) async {
        let error = await thrown(AppError.self) { try await context().setState(state, meta: 1) }
        #expect(error?.description == "t: a task cannot set its own state to \(state); return or throw instead")
        #expect(reports.all.isEmpty)
    }

    @Test("cancellation is told, and checking it throws")
    func cancellation() throws {
        let cancellation = Cancellation()
        let context = context(cancellation)
        #expect(!context.isCancelled)
        try context.checkCancellation()
        #expect(cancellation.cancel(.shutdown))
        #expect(context.isCancelled)
        #expect(throws: CancellationError.self) { try context.checkCancellation() }
    }

    @Test("the first reason to cancel stands")
    func firstReason() {
        let cancellation = Cancellation()
        #expect(cancellation.cancel(.softTimeLimit))
        #expect(!cancellation.cancel(.shutdown))
        #expect(cancellation.reason == .softTimeLimit)
    }

    @Test("its logger names the task on every line")
    func logger() {
        let base = Logger(label: "test") { StreamLogHandler.standardError(label: $0) }
        let logger = TaskContext.forTests(blockingPool: pool, logger: base).logger
        #expect(logger[metadataKey: "task_id"] == "id-1")
        #expect(logger[metadataKey: "task"] == "t")
    }
}
