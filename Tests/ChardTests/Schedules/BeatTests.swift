// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

/// An app on a memory broker whose clock stands until it is moved, and as many schedulers as one likes.
struct BeatBench {
    let clock = ManualClock(1_800_000_000)
    let broker: MemoryBroker
    let app: Chard
    let backup: TaskHandle<Void, String>

    init(_ name: String = "shop", on broker: MemoryBroker? = nil, clock: ManualClock? = nil) {
        var memory = MemorySettings()
        memory.now = { [clock = clock ?? self.clock] in clock.now }
        self.broker = broker ?? MemoryBroker(settings: memory)
        var settings = Settings()
        settings.now = memory.now
        app = Chard(name, broker: self.broker, settings: settings)
        backup = app.task("backup") { (_: String) in }
    }

    func rounds() -> BeatRounds { BeatRounds(app: app, store: broker, logger: quietLogger) }

    /// What waits in a queue, taken out.
    func messages(in queue: String = "celery") async throws -> [TaskMessage] {
        let consumer = try await broker.consumer(
            for: Subscription(queues: [queue], node: "reader@here", concurrency: 1, startedAt: clock.now))
        var messages: [TaskMessage] = []
        while try await !consumer.isDrained() {
            let deliveries = try await consumer.claim(upTo: 1000)
            messages += try deliveries.map { try TaskMessage(decoding: $0.payload) }
            _ = try await consumer.settle(deliveries.map { Settlement($0) })
        }
        await consumer.close()
        return messages
    }

    /// The ticks that wait in a queue, as seconds after the bench's first moment, taken out.
    func ticks() async throws -> [Double] {
        try await messages().map { message in
            let tick = try #require(message.headers["chard_tick"]?.string.flatMap(Timestamp.date))
            return tick.timeIntervalSince1970 - 1_800_000_000
        }
    }
}

@Suite("A beat", .timeLimit(.minutes(1)))
struct BeatTests {
    let bench = BeatBench()

    @Test("any number of schedulers sends each tick once, whoever comes first")
    func once() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        var beats = (0..<3).map { _ in bench.rounds() }
        for second in 0..<600 {
            bench.clock.advance(by: 1)
            // Each one is away now and then, the last one for minutes.
            for index in beats.indices where index == 2 ? second > 400 : (second + index) % 5 != 0 {
                _ = try await beats[index].round()
            }
        }
        let ticks = try await bench.ticks()
        #expect(ticks == (1...10).map { Double($0) * 60 })
        let record = try #require(try await bench.app.operator.schedules.find("backup"))
        #expect(record.progress.sent == 10)
        #expect(record.progress.dropped == 0)
    }

    @Test("the last times of a schedule are told, with what came of each")
    func lastTimes() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        let schedules = bench.app.operator.schedules
        #expect(try await schedules.ticks(of: "backup") == [], "none is over yet")
        #expect(try await schedules.ticks(of: "nobody") == [])
        var beat = bench.rounds()
        for _ in 0..<3 {
            bench.clock.advance(by: 60)
            _ = try await beat.round()
        }
        let sent = try await schedules.ticks(of: "backup")
        #expect(sent.map { $0.time.timeIntervalSince1970 - 1_800_000_000 } == [180, 120, 60])
        #expect(sent.allSatisfy { !$0.isKnown }, "nothing has come of them yet")
        try await withWorker(bench.app) { _ in
            try await eventually("all have run, and are told of") {
                try await schedules.ticks(of: "backup").allSatisfy { $0.state == .success && $0.attempt != nil }
            }
        }
        let last = try await schedules.ticks(of: "backup", limit: 1)
        #expect(last.map(\.taskID) == [sent[0].taskID])
        #expect(last[0].lateness == 0)
    }

    @Test("a scheduler that stood still between reckoning and sending sends nothing")
    func fenced() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        let record = try #require(try await bench.app.operator.schedules.find("backup"))
        let last = record.progress.last
        var beat = bench.rounds()
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [60])
        var step = TickStep(
            name: "backup", version: record.version, last: last, upTo: last + 60_000, notBefore: 0,
            messages: [OutgoingMessage(id: "x", queue: "celery", payload: [])], dropped: 0)
        guard case .overtaken(let progress) = try await bench.broker.send(step) else {
            Issue.record("an old tick was sent")
            return
        }
        #expect(progress.last == last + 60_000)
        step.last = progress.last
        step.version += 1
        #expect(try await bench.broker.send(step) == .changed)
        step.version -= 1
        step.notBefore = progress.last + 60_000
        #expect(try await bench.broker.send(step) == .early)
        #expect(try await bench.messages().isEmpty)
    }

    @Test(
        "a tick is an ordinary message, with Celery's mark, the schedule's name, and an id that all schedulers reckon alike"
    )
    func message() async throws {
        bench.app.route("back*", to: "nightly")
        let options = ScheduleOptions(
            call: EnqueueOptions(
                expires: .seconds(30), priority: 3, retry: .constant(maxRetries: 7, delay: .seconds(1)),
                headers: ["a": 1]))
        bench.app.every(.seconds(60), name: "often", run: bench.backup, "/home", options: options)
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 61)
        _ = try await beat.round()
        let message = try #require(try await bench.messages(in: "nightly").first)
        #expect(message.task == "backup")
        #expect(message.id == TaskID.of(tick: 1_800_000_060_000, schedule: "often"))
        #expect(message.id.count == 36)
        #expect(message.headers["celery_beat_task"] == true)
        #expect(message.headers["chard_schedule"] == "often")
        #expect(message.headers["chard_tick"] == "2027-01-15T08:01:00.000000+00:00")
        #expect(message.headers["a"] == 1)
        #expect(message.retryPolicy?.maxRetries == 7)
        #expect(message.properties.priority == 3)
        #expect(message.expires == bench.clock.now + 30)
        #expect(message.rootID == message.id)
        #expect(try message.decodeBody().arguments().positional == ["/home"])
        #expect(TaskID.of(tick: 1, schedule: "a") != TaskID.of(tick: 2, schedule: "a"))
    }

    @Test("the round says when the next one is due, by jitter too")
    func next() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home", options: ScheduleOptions(jitter: .seconds(20)))
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        let (now, next) = try await beat.round()
        let delay = try #require(bench.app.ownSchedules.first).delay(of: 1_800_000_060_000)
        #expect(now == bench.clock.now)
        #expect(next == Date(milliseconds: 1_800_000_060_000 + delay))
        bench.clock.advance(by: 60 + Double(delay) / 1000 - 0.001)
        _ = try await beat.round()
        #expect(try await bench.messages().isEmpty)
        bench.clock.advance(by: 0.001)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [60])
    }

    @Test(
        "after a minute without schedulers, what was missed is caught up on as configured",
        arguments: [
            (ScheduleOptions.CatchUp.none, [60]), (.latest, [60]), (.all(upTo: 5), [56, 57, 58, 59, 60]),
            (.all(upTo: 20), Array(41...60)), (.all(upTo: 100), Array(1...60)),
        ] as [(ScheduleOptions.CatchUp, [Int])])
    func catchUp(catchUp: ScheduleOptions.CatchUp, expected: [Int]) async throws {
        bench.app.every(.seconds(1), run: bench.backup, "/home", options: ScheduleOptions(catchUp: catchUp))
        try await bench.app.registerSchedules()
        bench.clock.advance(by: 60.5)
        // A program that starts again remembers nothing, the broker does.
        let again = BeatBench(on: bench.broker, clock: bench.clock)
        again.app.every(.seconds(1), run: again.backup, "/home", options: ScheduleOptions(catchUp: catchUp))
        try await again.app.registerSchedules()
        var beat = again.rounds()
        _ = try await beat.round()
        #expect(try await bench.ticks() == expected.map(Double.init))
        let progress = try #require(try await bench.app.operator.schedules.find("backup")).progress
        #expect(progress.sent == expected.count)
        #expect(progress.dropped == 60 - expected.count)
        bench.clock.advance(by: 0.5)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [61])
    }

    @Test("a late round of a few seconds loses no tick")
    func late() async throws {
        bench.app.every(.seconds(1), run: bench.backup, "/home", options: ScheduleOptions(catchUp: .none))
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 8)
        _ = try await beat.round()
        #expect(try await bench.ticks() == (1...8).map(Double.init))
    }

    @Test("a clock that is put back repeats nothing, one that is put forward skips nothing in silence")
    func clockSteps() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 120)
        _ = try await beat.round()
        // The first was missed by a minute, so the latest stands for both.
        #expect(try await bench.ticks() == [120])
        bench.clock.advance(by: -90)
        for _ in 0..<90 {
            _ = try await beat.round()
            bench.clock.advance(by: 1)
        }
        #expect(try await bench.ticks() == [])
        bench.clock.advance(by: 3600)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [3720])
        #expect(try await bench.app.operator.schedules.find("backup")?.progress.dropped == 60)
    }

    @Test("a clock that was hours ahead holds up nothing once it is right again")
    func clockAhead() async throws {
        bench.app.every(.seconds(60), run: bench.backup, "/home")
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 7_200)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [7_200])
        bench.clock.advance(by: -7_200)
        // It is known at once when the next tick is, to whoever asks.
        let (now, next) = try await beat.round()
        #expect(next.map { $0.timeIntervalSince(now) } == 60)
        #expect(try await bench.ticks() == [])
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.ticks() == [60])
        // And so for a scheduler that begins then.
        bench.clock.advance(by: 7_200)
        _ = try await beat.round()
        bench.clock.advance(by: -7_140)
        var other = bench.rounds()
        _ = try await other.round()
        bench.clock.advance(by: 60)
        _ = try await other.round()
        #expect(try await bench.ticks() == [7_260, 180])
    }

    @Test("one schedule that cannot be kept keeps no other waiting")
    func trouble() async throws {
        let names: Set = ["bad"]
        bench.app.add(Refusing(names: names))
        bench.app.every(.seconds(60), name: "bad", run: bench.backup, "1")
        bench.app.every(.seconds(60), name: "good", run: bench.backup, "2")
        try await bench.app.registerSchedules()
        var beat = bench.rounds()
        bench.clock.advance(by: 60)
        _ = try await beat.round()
        #expect(try await bench.messages().compactMap { $0.headers["chard_schedule"] } == ["good"])
    }

    private struct Refusing: Middleware {
        let names: Set<String>

        func enqueue(
            _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
        ) async throws -> Enqueued {
            for message in messages where names.contains(message.headers["chard_schedule"]?.string ?? "") {
                throw TaskError("Refused", "no")
            }
            return try await next(messages)
        }
    }

    @Test("as a service: it registers, wakes by its timer and by changes, and ends when it is told to")
    func service() async throws {
        let app = Chard("shop", broker: MemoryBroker())
        let ping = app.task("ping") {}
        app.every(.milliseconds(100), run: ping)
        let beat = Beat(app, logger: quietLogger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await beat.run() }
            try await eventually("three ticks are sent") {
                try await app.operator.schedules.find("ping")?.progress.sent ?? 0 >= 3
            }
            try await app.operator.schedules.put(
                Schedule("late", .every(.milliseconds(100)), call: PeriodicCall("other", queue: "elsewhere")))
            try await eventually("the new schedule is served") {
                try await app.operator.schedules.find("late")?.progress.sent ?? 0 >= 2
            }
            beat.stop()
            try await group.waitForAll()
        }
        #expect(try await app.operator.schedules.find("late")?.origin == .operator)
    }

    @Test("a broker without schedules is refused")
    func refused() async throws {
        let app = Chard("shop", broker: RecordingBroker())
        let error = await thrown(AppError.self) { try await Beat(app, logger: quietLogger).run() }
        #expect(error?.description == "the broker at recording:// cannot keep schedules")
    }
}
