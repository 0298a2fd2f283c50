// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization
import TestServers
import Testing

@testable import ChardRedis

@Suite("A failover that sentinels make", .atOnce(1), .timeLimit(.minutes(3)))
struct FailoverTests {
    /// How the primary goes.
    enum Way: String, CaseIterable {
        case switchedOver, stopped, killed
    }

    @Test("Work, results and news go on within two seconds of the new primary's name, and what replicas had stays")
    func followed() async throws {
        try await SentinelSetup.with { setup in
            let broker = RedisBroker(try RedisURL(setup.url), settings: BrokerBench.quick)
            let app = Chard("test", broker: broker)
            let ran = Mutex<[ContinuousClock.Instant: Int]>([:])
            let note = app.task("note") { (number: Int) in
                ran.withLock { $0[.now] = number }
                return number
            }
            let worker = Worker(app, options: WorkerOptions(concurrency: 4))
            let isReady = Signal()
            async let running: Void = worker.run { isReady.fire() }
            await isReady.wait()
            for way in Way.allCases {
                try await pass(way, setup, note, ran)
            }
            worker.stop(.gracefully)
            try await running
            await broker.shutdown()
        }
    }

    private func pass(
        _ way: Way, _ setup: SentinelSetup, _ note: TaskHandle<Int, Int>,
        _ ran: borrowing Mutex<[ContinuousClock.Instant: Int]>
    ) async throws {
        let (primary, replica) = try await setup.roles()
        try await setup.replicating()
        #expect(try await note.enqueue(1).value(timeout: .seconds(5)) == 1)
        let heard = Mutex<[ContinuousClock.Instant]>([])
        let news = try await #require(note.app.broker as? RedisBroker).server.subscriber
            .subscribe(to: "news") { _ in heard.withLock { $0.append(.now) } }
        // Asked for before, and to come after. A replica has the message: it is not lost.
        let late = try await note.enqueue(
            2, durability: .replicas(1, within: .seconds(10)), options: .init(countdown: .seconds(4)))
        async let awaited = late.value(timeout: .seconds(40))
        let watch = try await SentinelWatch.begin(setup)
        let sent = Mutex<[String]>([])
        let sending = Task {
            while !Task.isCancelled {
                if let id = try? await note.enqueue(0, durability: .replicas(1)).id { sent.withLock { $0.append(id) } }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
        try await eventually("some are replicated") { sent.withLock { $0.count } > 10 }
        let publishing = Task {
            while !Task.isCancelled {
                _ = try? await replica.cli("PUBLISH", "news", "x")
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
        defer { publishing.cancel() }
        switch way {
        case .switchedOver: try await setup.switchOver()
        case .stopped: primary.pause()
        case .killed: await primary.kill()
        }
        let named = try await watch.waitForName(of: replica.port)
        try await eventually("a task runs") { ran.withLock { $0.keys.contains { $0 > named } } }
        try await eventually("news are heard") { heard.withLock { $0.contains { $0 > named } } }
        let work = try #require(ran.withLock { $0.keys.filter { $0 > named }.min() }) - named
        let word = try #require(heard.withLock { $0.filter { $0 > named }.min() }) - named
        print("failover, \(way): work after \(work / .milliseconds(1)) ms, news after \(word / .milliseconds(1)) ms")
        #expect(work < .seconds(2))
        #expect(word < .seconds(2))
        switch way {
        case .switchedOver: break
        case .stopped: primary.resume()
        case .killed: try await setup.restart(primary)
        }
        try await setup.replicating()
        let before = sent.withLock { $0.count }
        try await eventually("some more are replicated") { sent.withLock { $0.count } > before + 10 }
        sending.cancel()
        await sending.value
        #expect(try await awaited == 2)
        // Whoever was replicated comes to its end, whichever server it was sent to.
        for id in sent.withLock({ $0 }) {
            try await eventually("task \(id) ends") { try await note.app.results.status(of: id)?.state == .success }
        }
        news.cancel()
    }

    @Test("A message that no replica took is told of, by its id, and runs all the same")
    func notReplicated() async throws {
        try await RedisServer.with { server in
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            let note = app.task("note") { (number: Int) in number }
            for options in [EnqueueOptions(), EnqueueOptions(countdown: .seconds(60))] {
                var options = options
                options.durability = .replicas(1, within: .milliseconds(50))
                options.id = "id-\(options.countdown == nil)"
                let (id, call) = ("id-\(options.countdown == nil)", options)
                let error = try await #require(throws: NotReplicated.self) {
                    try await note.enqueue(1, options: call)
                }
                #expect(error == NotReplicated(ids: [id], reached: 0, wanted: 1))
            }
            #expect(try await server.cli("LLEN", "celery") == "1")
            #expect(try await broker.queues().first { $0.queue == "celery" }?.delayed == 1)
            await broker.shutdown()
        }
    }

    @Test("Celery's URL finds the primary as well")
    func celeryURL() async throws {
        try await SentinelSetup.with { setup in
            let client = RedisClient(url: try RedisURL(setup.celeryURL))
            #expect(try await client.send(RedisCommand("ROLE")).array?.first?.text == "master")
            await client.close()
        }
    }
}
