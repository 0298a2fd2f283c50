// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let schedules: [BrokerClause] = [
        BrokerClause(
            "ticks are fenced",
            "A step is taken once, for the version and the last tick it was reckoned from, in its time."
        ) { trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            let other = try await trial.broker(with: (any ScheduleStore).self)
            try await trial.hold(
                broker.keep(trial.schedule(), replacing: 0, restarting: true), "a new schedule is kept")
            let record = try await trial.schedule(in: other)
            let last = record.progress.last
            var step = TickStep(
                name: "s", version: record.version + 1, last: last, upTo: last + 1000, notBefore: last + 3_600_000,
                messages: [trial.task("a"), trial.task("b")], dropped: 4)
            try await trial.equal(broker.send(step), .changed, "a step of another version")
            step.version = record.version
            try await trial.equal(broker.send(step), .early, "a step before its time")
            step.notBefore = last
            try await trial.equal(broker.send(step), .done, "a step in its time")
            let progress = try await trial.schedule(in: broker).progress
            try trial.equal(progress.last, last + 1000, "the tick up to which all is dealt with")
            try trial.equal(progress.sentTick, last + 1000, "the tick that was sent last")
            try trial.equal(progress.taskID, "b", "the task of that tick")
            try trial.equal([progress.sent, progress.dropped], [2, 4], "the ticks that were sent and dropped")
            try await trial.equal(other.send(step), .overtaken(progress), "a step that another one took before")
            step.messages = []
            step.last += 1000
            step.upTo += 1000
            try await trial.equal(other.send(step), .done, "a step that sends nothing")
            let after = try await trial.schedule(in: broker).progress
            try trial.equal([after.sent, after.dropped], [2, 8], "the ticks that were sent and dropped")
            try trial.equal(after.taskID, "b", "the task of the last tick that was sent")
            try await trial.expectWaiting(["a", "b"])
        },

        BrokerClause(
            "one tick, many schedulers", "Of many that send one tick at once, one does, and the others learn of it."
        ) { trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            _ = try await broker.keep(trial.schedule(), replacing: 0, restarting: true)
            let record = try await trial.schedule(in: broker)
            let last = record.progress.last
            let step = TickStep(
                name: "s", version: record.version, last: last, upTo: last + 1000, notBefore: last,
                messages: [trial.task("a")], dropped: 0)
            var others: [any ScheduleStore] = []
            for _ in 0..<3 { others.append(try await trial.broker(with: (any ScheduleStore).self)) }
            let receipts = try await withThrowingTaskGroup(of: TickReceipt.self) { group in
                for index in 0..<12 { group.addTask { [others] in try await others[index % 3].send(step) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            try trial.equal(receipts.count { $0 == .done }, 1, "how many sent it")
            try await trial.expectWaiting(["a"])
        },

        BrokerClause(
            "schedules are changed by version", "Of two changes of one version, one is done; no version comes twice."
        ) { trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            let schedule = trial.schedule()
            let none = try await broker.scheduleRevision().revision
            let kept = [
                try await broker.keep(schedule, replacing: 0, restarting: true),
                try await broker.keep(schedule, replacing: 0, restarting: true),
            ]
            try trial.equal(kept, [true, false], "whether two schedules of one name are kept")
            let first = try await trial.schedule(in: broker)
            try trial.equal(first.schedule, schedule.schedule, "the schedule as it is kept")
            var changed = first
            changed.isPaused = true
            try await trial.hold(broker.keep(changed, replacing: first.version, restarting: false), "a change is kept")
            let second = try await trial.schedule(in: broker)
            try trial.hold(second.isPaused && second.version > first.version, "a change has a later version")
            try trial.equal(second.progress.last, first.progress.last, "the last tick of a schedule that goes on")
            let forgotten = [
                try await broker.forgetSchedule("s", version: first.version),
                try await broker.forgetSchedule("s", version: second.version),
            ]
            try trial.equal(forgotten, [false, true], "whether the old and the new version are forgotten")
            _ = try await broker.keep(schedule, replacing: 0, restarting: true)
            let third = try await trial.schedule(in: broker)
            try trial.hold(third.version > second.version, "a version never comes again")
            try await trial.hold(broker.scheduleRevision().revision > none, "changes are counted")
        },

        BrokerClause(
            "a clock that was ahead", "Ticks that were dealt with by a clock that was ahead can be gone back behind."
        ) { trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            _ = try await broker.keep(trial.schedule(), replacing: 0, restarting: true)
            let first = try await trial.schedule(in: broker)
            let start = first.progress.last
            func step(from last: Int, to upTo: Int) -> TickStep {
                TickStep(
                    name: "s", version: first.version, last: last, upTo: upTo, notBefore: start, messages: [],
                    dropped: 0)
            }
            try await trial.equal(broker.send(step(from: start, to: start + 7_200_000)), .done, "a tick far ahead")
            try await trial.equal(broker.send(step(from: start + 7_200_000, to: start)), .done, "a step back")
            try await trial.equal(
                broker.send(step(from: start, to: start + 7_200_000)), .done, "a tick far ahead again")
            let ahead = try await trial.schedule(in: broker)
            try await trial.hold(
                broker.keep(ahead, replacing: ahead.version, restarting: true), "it is kept, its ticks to begin anew")
            let last = try await trial.schedule(in: broker).progress.last
            try trial.hold(start...(start + 3_600_000) ~= last, "its ticks begin from the present time")
        },

        BrokerClause("changes of schedules are told", "Whoever watches is told of a change by another process.") {
            trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            let other = try await trial.broker(with: (any ScheduleStore).self)
            let told = Tally<Bool>()
            let watch = try await broker.watchSchedules { told.add([true]) }
            // Where changes are looked for rather than told, the first look only learns what is there.
            try await trial.eventually("a change is told") {
                let version = try await other.schedules().records.first?.version ?? 0
                _ = try await other.keep(trial.schedule(), replacing: version, restarting: false)
                try await Task.sleep(for: .milliseconds(50))
                return told.count > 2
            }
            withExtendedLifetime(watch) {}
        },

        BrokerClause("beats are counted", "Any process knows how many watch schedules, and that nobody does.") {
            trial in
            let broker = try await trial.broker(with: (any ScheduleStore).self)
            let other = try await trial.broker(with: (any ScheduleStore).self)
            guard try await other.countBeats() != nil else { return }
            try await trial.equal(other.countBeats(), 0, "how many beats there are at first")
            do {
                let first = try await broker.watchSchedules {}
                try await trial.eventually("one is counted") { try await other.countBeats() == 1 }
                let second = try await other.watchSchedules {}
                try await trial.eventually("two are counted") { try await other.countBeats() == 2 }
                withExtendedLifetime((first, second)) {}
            }
            try await trial.eventually("none is left") { try await other.countBeats() == 0 }
        },

        BrokerClause(
            "delayed messages are changed", "A delayed message can be looked at, moved, run and cancelled, once."
        ) { trial in
            let broker = try await trial.broker(with: (any DelayingBroker).self)
            let now = trial.fixture.now
            let due = [3600.0, 7200, 9000].map { now.addingTimeInterval($0) }
            try await broker.send([
                trial.task("b", dueAt: due[1], priority: 6), trial.task("c", dueAt: due[2]),
                trial.task("a", queue: "other", dueAt: due[0]),
            ])
            let all = try await broker.delayedTasks(in: nil, limit: 9)
            try trial.equal(all.map(\.name), ["a", "b", "c"], "what is delayed, the earliest first")
            let one = try await broker.delayedTasks(in: "q", limit: 1)
            try trial.equal(one.map(\.name), ["b"], "the first that is delayed for a queue")
            let found = try trial.unwrap(try await broker.delayedTask("b"), "a delayed message by its name")
            try trial.equal(found.priority, 6, "its priority")
            try trial.equal(found.message?.id, "b", "its message")
            try await trial.hold(
                broker.change(found, [.push(trial.again(found, dueAt: due[2]))]), "it is moved")
            try await trial.hold(
                !broker.change(found, [.putBack(as: found.payload)]), "what was changed is not as it was")
            let moved = try trial.unwrap(try await broker.delayedTask("b"), "the message that was moved")
            try trial.hold(abs(moved.dueAt.timeIntervalSince(due[2])) < 0.001, "it is due at the other time")
            try await trial.hold(broker.change(moved, [.putBack(as: Array("now".utf8))]), "it is run")
            try await trial.hold(!broker.change(moved, [.putBack(as: Array("now".utf8))]), "it is run once")
            let third = try trial.unwrap(try await broker.delayedTask("c"), "the third message")
            try await trial.hold(broker.change(third, [.store(trial.status("c", .revoked))]), "it is cancelled")
            try await trial.equal(broker.status(of: "c")?.state, .revoked, "the status of what was cancelled")
            try await trial.equal(broker.delayedTasks(in: nil, limit: 9).map(\.name), ["a"], "what is left")
            try await trial.expectWaiting(["now"])
        },
    ]
}

extension Trial {
    /// A schedule `s` that is in no broker yet.
    fileprivate func schedule() -> ScheduleRecord {
        var record = ScheduleRecord("s")
        record.change = Schedule("s", .every(.seconds(3600)), call: PeriodicCall("task", Arguments([1]), queue: "q"))
        return record
    }

    /// The schedule `s` as a broker has it.
    fileprivate func schedule(in broker: any ScheduleStore) async throws -> ScheduleRecord {
        try unwrap(try await broker.schedules().records.first { $0.name == "s" }, "the schedule that was kept")
    }
}
