// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Dispatch
import Hummingbird
import TestServers
import Testing

@Suite("After the response", .timeLimit(.minutes(2)))
struct AfterResponseTests {
    @Test(
        "a slow body holds up neither its own response nor the next request on the connection",
        arguments: [false, true])
    func slow(isBlocking: Bool) async throws {
        let app = Chard("site", broker: MemoryBroker())
        let words = Words()
        let slow =
            isBlocking
            ? app.blockingTask("slow") { () in
                _ = DispatchSemaphore(value: 0).wait(timeout: .now() + 3)
                words.add("done")
            }
            : app.task("slow") { () in
                try await Task.sleep(for: .seconds(3))
                words.add("done")
            }
        try await Site.with(app, words: words) { router, words in
            router.get("slow") { _, context in
                try context.background(slow)
                words.add("answered")
                return "ok"
            }
            router.get("fast") { _, _ in "fast" }
        } _: { site in
            let wire = try Wire(port: site.port)
            let start = ContinuousClock.now
            for _ in 0..<3 { #expect(try await wire.ask("GET", "/slow").body == "ok") }
            #expect(try await wire.ask("GET", "/fast").body == "fast")
            #expect(.now - start < .seconds(2))
            #expect(!words.all.contains("done"))
        }
        // The graceful shutdown has waited for all of them.
        #expect(words.all.count { $0 == "done" } == 3)
    }

    @Test("what one request leaves runs in order, and behind a failure as the app says", arguments: [false, true])
    func order(goesOn: Bool) async throws {
        let app = Chard("site", broker: MemoryBroker())
        let words = Words()
        let say = app.task("say") { (word: String) in
            try await Task.sleep(for: .milliseconds(word == "a" ? 100 : 0))
            words.add(word)
        }
        let retry = RetryPolicy.constant(maxRetries: 1, delay: .milliseconds(50))
        let fail = app.task("fail", options: TaskOptions(retry: retry)) { () in
            words.add("fail")
            throw TaskError("ValueError", "as it should")
        }
        try await Site.with(app, afterFailure: goesOn ? .goesOn : .stops, words: words) { router, _ in
            router.get("all") { _, context in
                try context.background(say, "a")
                try context.background(say, "b")
                try context.background(fail)
                try context.background(say, "c")
                return "ok"
            }
        } _: { site in
            #expect(try await Wire(port: site.port).ask("GET", "/all").status == 200)
            try await eventually("all has run") { site.background.count == 0 }
        }
        let said = words.all.filter { !$0.hasPrefix("error") && !$0.hasPrefix("warning") }
        #expect(said == ["a", "b", "fail", "fail"] + (goesOn ? ["c"] : []))
        let line = try #require(words.all.first { $0.hasPrefix("error") })
        #expect(line.contains("fail") && line.contains("as it should"))
        #expect(line.contains("not run behind it: say") == !goesOn)
    }

    @Test("a handler that throws has left nothing; HEAD has the effect of GET")
    func handlers() async throws {
        let app = Chard("site", broker: MemoryBroker())
        let words = Words()
        let say = app.task("say") { (word: String) in words.add(word) }
        let elsewhere = app.reference("elsewhere", taking: String.self, returning: String.self)
        try await Site.with(app, words: words) { router, _ in
            router.get("bad") { _, context -> String in
                try context.background(say, "never")
                throw HTTPError(.badRequest)
            }
            router.get("good") { _, context in
                try context.background(say, "good")
                return "ok"
            }
            router.get("elsewhere") { _, context in
                try context.background(elsewhere, "x")
                return "ok"
            }
        } _: { site in
            let wire = try Wire(port: site.port)
            #expect(try await wire.ask("GET", "/bad").status == 400)
            #expect(try await wire.ask("HEAD", "/good").status == 200)
            #expect(try await wire.ask("GET", "/elsewhere").status == 500)
            try await eventually("it has run") { words.all.contains("good") }
        }
        #expect(!words.all.contains("never"))
    }

    @Test("what a shutdown cuts off is named in the log")
    func cutOff() async throws {
        let app = Chard("site", broker: MemoryBroker())
        let words = Words()
        let slow = app.task("slow") { () in try await Task.sleep(for: .seconds(60)) }
        let next = app.task("next") { () in words.add("never") }
        try await Site.with(app, grace: .milliseconds(100), words: words) { router, _ in
            router.get("slow") { _, context in
                try context.background(slow)
                try context.background(next)
                return "ok"
            }
        } _: { site in
            let answer = try await Wire(port: site.port).ask("GET", "/slow")
            #expect(answer.status == 200)
        }
        #expect(words.all.contains { $0.contains("cut off by the shutdown, and lost: slow, next") })
        #expect(!words.all.contains("never"))
    }
}
