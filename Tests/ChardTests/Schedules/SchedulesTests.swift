// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Schedules in the broker", .timeLimit(.minutes(1)))
struct SchedulesTests {
    let bench = BeatBench()

    private func plus(_ seconds: Double, _ beat: inout BeatRounds) async throws -> [Double] {
        bench.clock.advance(by: seconds)
        _ = try await beat.round()
        return try await bench.ticks()
    }

    @Test("pause holds ticks, and none is caught up on; resume lets them go on")
    func pause() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        #expect(try await plus(60, &beat) == [60])
        #expect(try await bench.app.operator.schedules.pause("backup"))
        #expect(try await plus(3600, &beat) == [])
        // A program that starts again does not resume what the operator has paused.
        try await bench.app.registerSchedules()
        #expect(try await plus(60, &beat) == [])
        #expect(try await bench.app.operator.schedules.resume("backup"))
        #expect(try await plus(30, &beat) == [])
        #expect(try await plus(30, &beat) == [3780])
        #expect(try await !bench.app.operator.schedules.pause("nothing"))
        #expect(try await !bench.app.operator.schedules.resume("nothing"))
    }

    @Test("what the operator changes survives the program's next start, until reset")
    func change() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        var changed = try #require(try await bench.app.operator.schedules.find("backup")?.schedule)
        changed.timing = .every(.seconds(3600))
        try await bench.app.operator.schedules.put(changed)
        #expect(try await bench.app.operator.schedules.find("backup")?.origin == .changed)
        try await bench.app.registerSchedules()
        #expect(try await plus(3600, &beat) == [3600])
        #expect(try await bench.app.operator.schedules.reset("backup"))
        #expect(try await bench.app.operator.schedules.find("backup")?.origin == .code)
        #expect(try await plus(60, &beat) == [3660])
    }

    @Test("ticks from the time when a schedule was over, or not enabled, are not caught up on")
    func revived() async throws {
        var schedule = Schedule("own", .every(.seconds(60)), call: PeriodicCall("own"))
        schedule.catchUp = .all(upTo: 1_000)
        schedule.endsAt = bench.clock.now
        try await bench.app.operator.schedules.put(schedule)
        var beat = bench.rounds()
        #expect(try await plus(3600, &beat) == [])
        schedule.endsAt = nil
        try await bench.app.operator.schedules.put(schedule)
        #expect(try await plus(60, &beat) == [3660])

        func app(isEnabled: Bool) -> Chard {
            let app = Chard("shop", broker: bench.broker, settings: bench.app.settings)
            let task = app.task("code") { () in }
            app.every(
                .seconds(60), run: task, options: ScheduleOptions(isEnabled: isEnabled, catchUp: .all(upTo: 1_000)))
            return app
        }
        #expect(try await bench.app.operator.schedules.remove("own"))
        try await app(isEnabled: false).registerSchedules()
        #expect(try await plus(7200, &beat) == [])
        try await app(isEnabled: true).registerSchedules()
        #expect(try await plus(60, &beat) == [10_920])
    }

    @Test("a task whose status is gone before its overlap limit would seem to run on: that is refused")
    func statusTooShort() throws {
        let task = bench.app.task("short", options: TaskOptions(resultExpires: .seconds(60))) { () in }
        bench.app.every(.seconds(300), run: task, options: ScheduleOptions(overlap: .skip))
        let error = #expect(throws: AppError.self) { try bench.app.validate() }
        #expect(error?.description.contains("overlapLimit") == true)
        let fine = BeatBench()
        let same = fine.app.task("short", options: TaskOptions(resultExpires: .seconds(60))) { () in }
        fine.app.every(.seconds(300), run: same, options: ScheduleOptions(overlap: .skip, overlapLimit: .seconds(60)))
        try fine.app.validate()
    }

    @Test("arguments that no worker would take are refused when the schedule is made, by whomever")
    func tooLarge() async throws {
        let settings = Settings(limits: MessageLimits(bodyBytes: 100))
        let app = Chard("shop", broker: MemoryBroker(), settings: settings)
        let task = app.task("t") { (text: String) in text.count }
        let text = String(repeating: "x", count: 100)
        let words = "its arguments have 112 bytes, and a worker takes no more than 100"
        let own = Schedule("own", .every(.seconds(60)), call: PeriodicCall("t", Arguments([.string(text)])))
        let put = await thrown(AppError.self) { try await app.operator.schedules.put(own) }
        #expect(put?.description.contains(words) == true)
        app.every(.seconds(60), run: task, text)
        let error = #expect(throws: AppError.self) { try app.validate() }
        #expect(error?.description.contains("schedule t: \(words)") == true)
    }

    @Test("remove: the operator's is gone, the code's stays away until reset")
    func remove() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        try await bench.app.operator.schedules.put(Schedule("own", .every(.seconds(60)), call: PeriodicCall("own")))
        #expect(try await bench.app.operator.schedules.list().map(\.origin) == [.code, .operator])
        var beat = bench.rounds()
        #expect(try await plus(60, &beat).count == 2)
        #expect(try await bench.app.operator.schedules.remove("own"))
        #expect(try await bench.app.operator.schedules.remove("backup"))
        #expect(try await !bench.app.operator.schedules.remove("own"))
        #expect(try await !bench.app.operator.schedules.remove("backup"))
        try await bench.app.registerSchedules()
        #expect(try await plus(60, &beat).isEmpty)
        #expect(try await bench.app.operator.schedules.list().map(\.schedule) == [nil])
        #expect(try await !bench.app.operator.schedules.pause("backup"))
        #expect(try await bench.app.operator.schedules.runNow("backup") == nil)
        #expect(try await bench.app.operator.schedules.reset("backup"))
        #expect(try await !bench.app.operator.schedules.reset("own"))
        #expect(try await plus(60, &beat) == [180])
    }

    @Test("run now sends one call at once and changes no tick, also of a paused schedule")
    func runNow() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        _ = try await bench.app.operator.schedules.pause("backup")
        let id = try await bench.app.operator.schedules.runNow("backup")
        let message = try #require(try await bench.messages().first)
        #expect(message.id == id)
        #expect(message.headers["chard_schedule"] == "backup")
        #expect(message.headers["chard_tick"] == nil)
        #expect(try await bench.app.operator.schedules.find("backup")?.progress.sent == 0)
    }

    @Test("a start with the same code changes nothing; other times begin from now")
    func register() async throws {
        bench.app.every(
            .milliseconds(60_333), run: bench.backup, "/home",
            options: ScheduleOptions(
                startsAt: bench.clock.now + 0.1, jitter: .milliseconds(333),
                call: EnqueueOptions(expires: .seconds(0.1))))
        try await bench.app.registerSchedules()
        let version = try #require(try await bench.app.operator.schedules.find("backup")?.version)
        try await bench.app.registerSchedules()
        #expect(try await bench.app.operator.schedules.find("backup")?.version == version)
        bench.clock.advance(by: 7200)
        let next = BeatBench(on: bench.broker, clock: bench.clock)
        next.app.every(.seconds(60), run: next.backup, "/home")
        try await next.app.registerSchedules()
        var beat = next.rounds()
        #expect(try await plus(59, &beat) == [])
        #expect(try await plus(1, &beat) == [7260])
    }

    @Test("what a later version of the program has no more is forgotten, the operator's stays")
    func forgotten() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        try await bench.app.operator.schedules.put(Schedule("own", .every(.seconds(60)), call: PeriodicCall("own")))
        let other = BeatBench("other", on: bench.broker, clock: bench.clock)
        other.app.every(.seconds(60), name: "theirs", run: other.backup, "/home")
        try await other.app.registerSchedules()
        let next = BeatBench(on: bench.broker, clock: bench.clock)
        try await next.app.registerSchedules()
        #expect(try await bench.app.operator.schedules.list().map(\.name) == ["own", "theirs"])
    }

    @Test("two programs cannot have one name")
    func conflict() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        let other = BeatBench("other", on: bench.broker, clock: bench.clock)
        other.app.every(.seconds(60), run: other.backup, "/home")
        let error = await thrown(AppError.self) { try await other.app.registerSchedules() }
        #expect(error?.description.contains("shop has one of that name already") == true)
    }

    @Test("changes by several at once all count")
    func together() async throws {
        for name in ["a", "b"] {
            try await bench.app.operator.schedules.put(Schedule(name, .every(.seconds(60)), call: PeriodicCall(name)))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in 0..<20 {
                group.addTask { [app = bench.app] in
                    _ = try await app.operator.schedules.pause(index % 2 == 0 ? "a" : "b")
                    _ = try await app.operator.schedules.resume(index % 2 == 0 ? "a" : "b")
                }
            }
            try await group.waitForAll()
        }
        #expect(try await bench.app.operator.schedules.list().map(\.isPaused) == [false, false])
    }

    @Test("a schedule that makes no sense is refused when the operator adds it")
    func refused() async throws {
        let bad = Schedule("bad", .every(.seconds(0)), call: PeriodicCall(""))
        let error = await thrown(AppError.self) { try await bench.app.operator.schedules.put(bad) }
        #expect(error?.description.contains("at least a tenth of a second") == true)
        #expect(try await bench.app.operator.schedules.list().isEmpty)
    }

    @Test("what is wrong in the code is told when the app starts, all at once")
    func validation() throws {
        let app = bench.app
        app.every(.seconds(60), run: bench.backup, "1")
        app.every(.seconds(60), run: bench.backup, "2")
        app.every(.zero, name: "never", run: bench.backup, "3")
        app.cron("61 * * * *", name: "bad minute", run: bench.backup, "4")
        app.cron("0 0 30 2 *", name: "no day", run: bench.backup, "5")
        app.cron("@daily", timeZone: "Warsaw", name: "no zone", run: bench.backup, "6")
        app.every(
            .seconds(1), name: "fixed", run: bench.backup, "7", options: ScheduleOptions(call: EnqueueOptions(id: "x")))
        let error = try #require(throws: AppError.self) { try app.validate() }
        for part in [
            "schedule backup is registered twice", "schedule never: the interval is",
            "bad minute: minute: 61 is out of range",
            "no day: \"0 0 30 2 *\" never comes",
            "no zone: there is no time zone \"Warsaw\"; did you mean Europe/Warsaw",
            "fixed: its calls can have no id",
        ] {
            #expect(error.description.contains(part), "\(error)")
        }
    }

    @Test("a schedule is the same after a way through JSON")
    func codable() throws {
        var call = PeriodicCall("report", Arguments([1, 1.5, "x"], keywords: ["k": .null]), queue: "q")
        call.priority = 3
        call.expires = .seconds(5)
        call.softTimeLimit = .seconds(1)
        call.timeLimit = .seconds(2)
        call.ignoresResult = false
        call.shadow = "s"
        call.headers = ["h": [1]]
        let options = ScheduleOptions(
            startsAt: Date(timeIntervalSince1970: 1.5), endsAt: Date(timeIntervalSince1970: 1e9),
            jitter: .milliseconds(7),
            isEnabled: false, catchUp: .all(upTo: 3), grace: .seconds(1), overlap: .wait, overlapLimit: .seconds(9))
        let cron = try CronExpression("30 7 13 * 5", days: .either)
        for schedule in [
            Schedule("a", .cron(cron, timeZone: "Europe/Warsaw"), call: call, options: options),
            Schedule("b", .every(.milliseconds(2500)), call: PeriodicCall("t")),
        ] {
            #expect(try JSON.decode(Schedule.self, from: try JSON.encode(schedule)) == schedule)
        }
        let short = try JSON.decode(Schedule.self, from: Array(#"{"name":"a","cron":"@daily","task":"t"}"#.utf8))
        #expect(short == Schedule("a", .cron(try CronExpression("@daily"), timeZone: "UTC"), call: PeriodicCall("t")))
    }
}
