// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import Hummingbird
import Synchronization
import TestServers
import Testing

@Suite("Tickets and jobs", .timeLimit(.minutes(2)))
struct JobsTests {
    private func tickets(
        _ app: Chard = Chard("site", broker: MemoryBroker()), worker: Bool = true,
        jobs: (@Sendable (Chard) -> Jobs)? = nil, sendTimeout: Duration? = nil,
        words: Words = Words(), _ body: (Site, Wire) async throws -> Void
    ) async throws {
        let decide = app.task("decide") { (what: String) in
            switch what {
            case "fail": throw TaskError("ValueError", "no <such> thing")
            case "wait": try await Task.sleep(for: .seconds(60))
            default: break
            }
            return ["what": what]
        }
        let report = app.task("report") { (context: TaskContext) in
            for step in 1...3 {
                try await context.progress(step, of: 3)
                try await Task.sleep(for: .milliseconds(50))
            }
            return 3
        }
        try await Site.with(app, worker: worker, jobs: jobs?(app), sendTimeout: sendTimeout, words: words) {
            router, _ in
            router.post("decisions/{what}") { _, context in
                try await context.accepted(decide, context.parameters.require("what"))
            }
            router.post("later") { _, context in
                try await context.accepted(decide.signature("later", in: .seconds(3_600)))
            }
            router.post("reports") { _, context in try await context.accepted(report) }
            router.post("enqueued") { _, context in try await context.enqueue(decide, "yes").id }
        } _: { site in
            try await body(site, try Wire(port: site.port))
        }
    }

    private func place(_ answer: Wire.Answer) throws -> String {
        #expect(answer.status == 202)
        #expect(answer.headers["retry-after"] == "1")
        let place = try #require(answer.headers["location"])
        let document = try JSON(parsing: Array(answer.body.utf8))
        #expect(document["status"] == "PENDING")
        #expect(document["links"]?["result"]?.string == place + "/result")
        #expect(place == "/jobs/\(document["id"]?.string ?? "")")
        return place
    }

    private func state(_ answer: Wire.Answer) throws -> String? {
        try JSON(parsing: Array(answer.body.utf8))["status"]?.string
    }

    @Test("202 with a place, then its status, then its result")
    func success() async throws {
        try await tickets { _, wire in
            let place = try place(try await wire.ask("POST", "/decisions/yes"))
            try await eventually("it is done") { try state(try await wire.ask("GET", place)) == "SUCCESS" }
            let result = try await wire.ask("GET", place + "/result")
            #expect(result.status == 200)
            #expect(result.body == #"{"what":"yes"}"#)
            #expect(result.headers["content-type"] == "application/json; charset=utf-8")
            #expect(try await wire.ask("DELETE", place).status == 409)
        }
    }

    @Test("a failure's result is a problem that names the error")
    func failure() async throws {
        try await tickets { _, wire in
            let place = try place(try await wire.ask("POST", "/decisions/fail"))
            try await eventually("it has failed") { try state(try await wire.ask("GET", place)) == "FAILURE" }
            let result = try await wire.ask("GET", place + "/result")
            #expect(result.status == 500)
            #expect(result.headers["content-type"] == "application/problem+json")
            let problem = try JSON(parsing: Array(result.body.utf8))
            #expect(problem["detail"] == "ValueError: no <such> thing")
            #expect(problem["type"] == "urn:chard:task-failed")
            #expect(problem["instance"]?.string == place)
        }
    }

    @Test("what waits, what never was and what is no id are told apart, in any process of the app")
    func prospects() async throws {
        let broker = MemoryBroker()
        try await tickets(Chard("site", broker: broker), worker: false) { _, wire in
            let place = try place(try await wire.ask("POST", "/later"))
            for path in [place, place + "/result"] {
                let answer = try await wire.ask("GET", path)
                #expect(answer.status == (path == place ? 200 : 202))
                #expect(try state(answer) == "PENDING")
            }
            // Another process of the same app.
            try await tickets(Chard("site", broker: broker), worker: false) { _, other in
                let answer = try await other.ask("GET", place)
                #expect(answer.status == 200)
            }
            for id in [UUID().uuidString, "1", "x' OR 1=1", "%3Cscript%3E", "../../etc/passwd", "ticket:1"] {
                for path in ["/jobs/\(id)", "/jobs/\(id)/result", "/jobs/\(id)/events"] {
                    let path = path.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? path
                    #expect(try await wire.ask("GET", path).status == 404, "\(path)")
                }
                #expect(try await wire.ask("DELETE", "/jobs/\(UUID().uuidString)").status == 404)
            }
        }
    }

    @Test("what was enqueued without an answer of its own has its pages as well")
    func enqueued() async throws {
        try await tickets(worker: false) { _, wire in
            let place = "/jobs/" + (try await wire.ask("POST", "/enqueued")).body
            let answer = try await wire.ask("GET", place)
            #expect(answer.status == 200)
            #expect(try state(answer) == "PENDING")
        }
    }

    @Test("a result that was kept for its time is gone")
    func expired() async throws {
        let clock = Mutex(Date())
        var settings = Settings(resultExpires: .seconds(60))
        settings.now = { clock.withLock { $0 } }
        var memory = MemorySettings()
        memory.now = settings.now
        try await tickets(Chard("site", broker: MemoryBroker(settings: memory), settings: settings)) { _, wire in
            let place = try place(try await wire.ask("POST", "/decisions/yes"))
            try await eventually("it is done") { try state(try await wire.ask("GET", place)) == "SUCCESS" }
            clock.withLock { $0 += 3_600 }
            #expect(try await wire.ask("GET", place).status == 410)
            #expect(try await wire.ask("GET", place + "/result").status == 410)
            clock.withLock { $0 += 30 * 86_400 }
            #expect(try await wire.ask("GET", place).status == 404)
        }
    }

    @Test("what waits for longer than results are kept is pending still")
    func longWait() async throws {
        let clock = Mutex(Date())
        var settings = Settings(resultExpires: .seconds(60))
        settings.now = { clock.withLock { $0 } }
        var memory = MemorySettings()
        memory.now = settings.now
        let app = Chard("site", broker: MemoryBroker(settings: memory), settings: settings)
        try await tickets(app, worker: false) { _, wire in
            let place = try place(try await wire.ask("POST", "/decisions/yes"))
            clock.withLock { $0 += 3_600 }
            let answer = try await wire.ask("GET", place)
            #expect(answer.status == 200)
            #expect(try state(answer) == "PENDING")
            #expect(try await wire.ask("GET", place + "/result").status == 202)
        }
    }

    @Test("who cancels a job ends it while it runs, and its result is gone")
    func revoked() async throws {
        try await tickets { _, wire in
            let place = try place(try await wire.ask("POST", "/decisions/wait"))
            #expect(try await wire.ask("DELETE", place).status == 202)
            try await eventually("it is revoked") { try state(try await wire.ask("GET", place)) == "REVOKED" }
            #expect(try await wire.ask("GET", place + "/result").status == 410)
        }
    }

    @Test("a hook decides who sees what; the words are the app's")
    func hooks() async throws {
        try await tickets(
            jobs: { app in
                Jobs(
                    app, path: "api/jobs/", words: { $0.isReady ? ($0 == .success ? "READY" : "ERROR") : "PENDING" },
                    mayAccess: { request, _ in request.uri.queryParameters["key"] == "secret" })
            }
        ) { _, wire in
            let answer = try await wire.ask("POST", "/decisions/yes")
            let place = try #require(answer.headers["location"])
            #expect(place.hasPrefix("/api/jobs/"))
            #expect(try await wire.ask("GET", place).status == 404)
            try await eventually("it is done") {
                try state(try await wire.ask("GET", place + "?key=secret")) == "READY"
            }
        }
    }

    @Test("events tell each status once and the end; who comes again is told what is new")
    func events() async throws {
        try await tickets { site, wire in
            let place = try place(try await wire.ask("POST", "/reports"))
            let stream = try Wire(port: site.port)
            try await stream.send("GET", place + "/events")
            let head = try await stream.streamed()
            #expect(head.headers["content-type"] == "text/event-stream")
            let text = try await stream.text(until: "event: end")
            let whole = text + (try await stream.text(until: "\n\n"))
            #expect(whole.contains("SUCCESS"))
            let ids = whole.components(separatedBy: .newlines).filter { $0.hasPrefix("id: ") }
                .map { String($0.dropFirst(4)) }
            #expect(Set(ids).count == ids.count && ids.count >= 2)
            // It has seen the end: a browser must not come again for ever.
            let last = try #require(ids.last)
            let again = try await wire.ask("GET", place + "/events", headers: ["Last-Event-ID": last])
            #expect(again.status == 204)
            // It was cut off before the end.
            let late = try Wire(port: site.port)
            try await late.send("GET", place + "/events", headers: ["Last-Event-ID": ids[0]])
            _ = try await late.streamed()
            #expect(try await late.text(until: "event: end").contains("event: end"))
        }
    }

    @Test("an open stream of events keeps no server from its shutdown")
    func shutdown() async throws {
        var stream: Wire?
        let clock = ContinuousClock()
        var start = clock.now
        try await tickets(worker: false) { site, wire in
            let place = try place(try await wire.ask("POST", "/decisions/yes"))
            let open = try Wire(port: site.port)
            try await open.send("GET", place + "/events")
            _ = try await open.streamed()
            #expect(try await open.text(until: "\n\n").contains("PENDING"))
            stream = open
            start = clock.now
        }
        #expect(clock.now - start < .seconds(5))
        #expect(stream != nil)
    }

    @Test("while the broker is away: 503 with a sentence, a line in the log, and nothing is done")
    func away() async throws {
        let words = Words()
        let app = Chard("site", broker: AwayBroker())
        try await tickets(app, worker: false, words: words) { _, wire in
            for answer in [
                try await wire.ask("POST", "/decisions/yes"), try await wire.ask("GET", "/jobs/\(TaskID.random())"),
            ] {
                #expect(answer.status == 503)
                #expect(Int(answer.headers["retry-after"] ?? "") ?? 0 >= 1)
                #expect(answer.body.contains("cannot be reached"))
            }
        }
        #expect(words.all.count { $0.contains("the broker is away; answered 503") } == 2)
    }
}

extension JobsTests {
    @Test("a broker that does not answer: 503 within the time that the site has set")
    func silence() async throws {
        let app = Chard("site", broker: AwayBroker(silence: .seconds(30)))
        let add = app.task("add") { (x: Int) in x }
        let words = Words()
        try await Site.with(app, sendTimeout: .milliseconds(300), words: words) { router, _ in
            router.post("accepted") { _, context in try await context.accepted(add, 1) }
            router.post("enqueued") { _, context in
                try await context.enqueue(add, 1)
                return "done"
            }
        } _: { site in
            let wire = try Wire(port: site.port)
            for path in ["/accepted", "/enqueued"] {
                let start = ContinuousClock.now
                let answer = try await wire.ask("POST", path)
                #expect(answer.status == 503 && answer.headers["retry-after"] == "5")
                #expect(ContinuousClock.now - start < .seconds(3))
            }
        }
        #expect(words.all.count { $0.contains("did not take the task within") } == 2)
    }
}

/// A broker that is away once it was there, and says so at once or after a while.
private final class AwayBroker: Broker {
    let location = "away://"
    private let silence: Duration

    init(silence: Duration = .zero) { self.silence = silence }

    private func fail() async throws -> Never {
        if silence > .zero { try await Task.sleep(for: silence) }
        throw BrokerError(.unavailable, "away")
    }

    func connect() async throws {}
    func shutdown() async {}
    @discardableResult
    func send(_ messages: [OutgoingMessage]) async throws -> [Placement] { try await fail() }
    func consumer(for subscription: Subscription) async throws -> any Consumer { try await fail() }
    func store(_ statuses: [StatusRecord]) async throws { try await fail() }
    func status(of id: String) async throws -> TaskStatus? { try await fail() }
    func statuses(of id: String) -> AsyncThrowingStream<TaskStatus, any Error> {
        AsyncThrowingStream { $0.finish(throwing: BrokerError(.unavailable, "away")) }
    }
    func forget(_ id: String) async throws -> Bool { try await fail() }
}
