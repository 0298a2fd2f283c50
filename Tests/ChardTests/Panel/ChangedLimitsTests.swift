// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("What remote control changes about tasks")
struct ChangedLimitsTests {
    let app = makeApp().app
    let message: TaskMessage

    init() {
        _ = app.task("t", options: TaskOptions(softTimeLimit: .seconds(5), timeLimit: .seconds(9))) {}
        message = TaskMessage(task: "t", body: MessageBody(), queue: "celery")
    }

    private func limits(_ changed: TaskTimeLimits.Limits?, soft: Double? = nil, hard: Double? = nil) throws -> RunLimits
    {
        var message = message
        message.timeLimits = .init(hard: hard, soft: soft)
        return RunLimits(message, try #require(app.registry["t"]), changed: changed)
    }

    @Test("time limits that were changed come before the task's own, and behind those of a call")
    func timeLimits() throws {
        let changed = TaskTimeLimits.Limits(soft: .seconds(1), hard: .seconds(2))
        #expect(try limits(nil).soft == .seconds(5))
        #expect(try limits(changed).soft == .seconds(1))
        #expect(try limits(changed).hard == .seconds(2))
        #expect(try limits(changed, soft: 3).soft == .seconds(3))
        #expect(try limits(changed, soft: 3).hard == .seconds(2))
        // A caller of Chard's sends the task's own along.
        #expect(try limits(changed, soft: 5, hard: 9).soft == .seconds(1))
        #expect(try limits(changed, soft: 5, hard: 9).hard == .seconds(2))
        #expect(try limits(.init()).soft == nil && limits(.init()).hard == nil)
    }

    @Test("a task is revoked by a stamp that it bears, whether it has one or several of the name")
    func stamps() {
        let revoked = RevokedStamps()
        var message = message
        message.stamps = ["customer": "acme", "order": [1, 2]]
        #expect(!revoked.revoke(message))
        revoked.add(["customer": ["other"], "order": [3]])
        #expect(!revoked.revoke(message))
        revoked.add(["order": [2]])
        #expect(revoked.revoke(message))
        message.stamps = ["order": "2"]
        #expect(!revoked.revoke(message))
        message.stamps = ["customer": ["x", "other"]]
        #expect(revoked.revoke(message))
    }
}
