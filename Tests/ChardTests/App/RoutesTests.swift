// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("Where tasks are sent")
struct RoutesTests {
    static let globs: [(String, String, Bool)] = [
        ("mail.send", "mail.send", true),
        ("mail.send", "mail.sender", false),
        ("mail.send", "mail.sen", false),
        ("mail.*", "mail.send", true),
        ("mail.*", "mail.", true),
        ("mail.*", "mail", false),
        ("*", "anything", true),
        ("*", "", true),
        ("", "", true),
        ("", "a", false),
        ("*.send", "mail.send", true),
        ("*.send", "mail.send.later", false),
        ("m*l.*d", "mail.send", true),
        ("m**d", "mail.send", true),
        ("*a*b*c", "xxaxxbxxbxxc", true),
        ("*a*b*c", "xxaxxbxxbxxcd", false),
        ("*aab", "aaaab", true),
        ("mail.?", "mail.a", true),
        ("mail.?", "mail.", false),
        ("mail.?", "mail.ab", false),
        ("?*", "", false),
        ("?*?", "ab", true),
        ("mail.[ab]", "mail.a", false),
        ("mail.[ab]", "mail.[ab]", true),
        ("MAIL.*", "mail.send", false),
        ("größe.*", "größe.ändern", true),
    ]

    @Test("globs", arguments: globs)
    func glob(_ pattern: String, _ name: String, _ matches: Bool) {
        #expect(Routes.matches(Array(pattern.utf8), Array(name.utf8)) == matches)
    }

    @Test("a pattern that invites backtracking takes no time", .timeLimit(.minutes(1)))
    func noBacktracking() {
        let pattern = String(repeating: "a*", count: 200) + "b"
        let name = String(repeating: "a", count: 20_000)
        #expect(!Routes.matches(Array(pattern.utf8), Array(name.utf8)))
    }

    @Test("the first rule that matches decides")
    func first() {
        var routes = Routes()
        #expect(routes.queue(for: "mail.send") == nil)
        routes.add("mail.urgent", queue: "urgent")
        routes.add("mail.*", queue: "mail")
        routes.add("*", queue: "rest")
        #expect(routes.queue(for: "mail.urgent") == "urgent")
        #expect(routes.queue(for: "mail.send") == "mail")
        #expect(routes.queue(for: "photo.store") == "rest")
    }

    @Test("the call's queue, then the task's, then the route's, then the default")
    func precedence() async throws {
        var settings = Settings()
        settings.defaultQueue = "default"
        let (app, broker) = makeApp(settings: settings)
        app.route("routed.*", to: "route")
        let plain = app.task("plain") { () in 1 }
        let routed = app.task("routed.plain") { () in 1 }
        let own = app.task("routed.own", options: TaskOptions(queue: "task")) { () in 1 }
        try await plain.enqueue()
        try await routed.enqueue()
        try await own.enqueue()
        try await own.enqueue(options: EnqueueOptions(queue: "call"))
        try await app.send("routed.elsewhere")
        let waiting = try await broker.queues().map { "\($0.queue) \($0.waiting)" }
        #expect(waiting == ["call 1", "default 1", "route 2", "task 1"])
    }
}
