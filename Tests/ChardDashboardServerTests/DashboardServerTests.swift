// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardDashboard
import Foundation
import Synchronization
import TestServers
import Testing

@Suite("A dashboard on a web server")
struct DashboardServerTests {
    /// Names that would do harm if a page took them as markup.
    private static let hostile = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "\"\u{301} onfocus=alert(1) x=\"",
        "a/b?c=d#e&f",
        "' onload='alert(1)", "\u{202E}gpj\u{0}\u{1B}[31m", "{{base}}{{{title}}}<!-- main -->", "..", "%2e%2e/%",
        "<b2>",
    ]

    /// Fills a broker with messages of hostile names, wherever a message can be.
    private func fill(_ app: Chard) async throws {
        let broker = try app.broker
        for (index, text) in Self.hostile.enumerated() {
            let options = EnqueueOptions(queue: "q", headers: ["x": .string(text)], id: text)
            let arguments = Arguments([.string(text)], keywords: [text: .string(text)])
            _ = try await app.send(text, arguments, options: options)
            var delayed = options
            delayed.countdown = .seconds(600)
            delayed.id = "later \(text)"
            _ = try await app.send(text, arguments, options: delayed)
            var attempt = Attempt(id: text, end: .failure, endedAt: Date())
            (attempt.task, attempt.queue, attempt.node, attempt.error) = (text, text, text, "ValueError: \(text)")
            (attempt.parentID, attempt.groupID, attempt.origin) = (text, text, text)
            try await (broker as? any HistoryStore)?.note([AttemptRecord(attempt)])
            try await broker.send([
                OutgoingMessage(id: "m\(index)", queue: "dying", payload: Array("{\"headers\": \(text)".utf8))
            ])
        }
        try await broker.store([
            StatusRecord(
                TaskStatus(
                    id: "done", state: .failure,
                    result: TaskError("<i>E", Self.hostile[0]).info.json.encoded(), traceback: Self.hostile[1]),
                timeToLive: nil)
        ])
        // What cannot be read dies once a worker takes it.
        let worker = Worker(app, options: WorkerOptions(queues: ["dying"], node: "<w>"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            try await eventually("the letters are dead") {
                try await app.operator.deadLetters.summaries().count >= Self.hostile.count
            }
            worker.stop(.now)
            try await group.waitForAll()
        }
    }

    @Test(
        "every page that can be reached answers, as HTML and as JSON, and nothing from a message is markup",
        arguments: DashboardSite.Kind.allCases)
    func pages(_ kind: DashboardSite.Kind) async throws {
        try await DashboardSite.with(kind) { site in
            try await fill(site.app)
            let letters = try await site.app.operator.deadLetters.summaries()
            var open = ["/tasks/tasks", "/tasks/queues", "/tasks/delayed", "/tasks/dead", "/tasks/tasks/done"]
            for state in ["failed", "waiting", "delayed", "dead", "running"] {
                open.append("/tasks/tasks?state=\(state)")
            }
            open += letters.map { "/tasks/dead/\(Self.path($0.letter.id))" }
            open += Self.hostile.map { "/tasks/tasks/\(Self.path($0))" }
            open += Self.hostile.map { "/tasks/tasks?task=\(Self.path($0))&error=\(Self.path($0))" }
            var seen = Set(open)
            var count = 0
            let wire = try Wire(port: site.port)
            while let path = open.popLast() {
                let page = try await wire.ask("GET", path, headers: ["Accept": "text/html"])
                count += 1
                // A task named by an attempt alone may be gone; other areas may have no page yet.
                #expect([200, 404].contains(page.status), "\(page.status) \(path)")
                let markup = Markup(page.body)
                #expect(markup.offences == [], "\(path)")
                guard page.status == 200 else { continue }
                let json = try await wire.ask("GET", path, headers: ["Accept": "application/json"])
                if !path.contains("openapi"), json.status == 200 {
                    #expect((try? JSON(parsing: Array(json.body.utf8)))?.object != nil, "\(path)")
                }
                for link in markup.links where link.hasPrefix("/tasks/") && seen.insert(link).inserted && count < 400 {
                    open.append(link)
                }
            }
            #expect(count > 60)
        }
    }

    /// As a browser sends it.
    private static func path(_ text: String) -> String {
        text.utf8.map { byte in
            ("a"..."z").contains(Character(Unicode.Scalar(byte)))
                ? String(Character(Unicode.Scalar(byte)))
                : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }

    @Test("the description has every page and every order, and all of them answer")
    func description() async throws {
        try await DashboardSite.with { site in
            let (status, description) = try await site.json("/tasks/openapi.json")
            #expect(status == 200 && description["openapi"] == "3.1.0")
            let paths = try #require(description["paths"]?.object)
            for expected in [
                "/tasks", "/tasks/{task}", "/tasks/{task}/retry", "/tasks/{task}/copy", "/delayed", "/dead",
                "/dead/{letter}",
                "/batches", "/batches/{batch}", "/dry-run", "/queues/{queue}/purge", "/aside/{item}/drop",
            ] {
                #expect(paths[expected] != nil, "\(expected)")
            }
            for (path, methods) in paths {
                let place = "/tasks" + path.replacing(/\{[a-z_]+\}/, with: "nobody")
                if methods["get"] != nil {
                    let answer = try await site.json(place)
                    #expect([200, 400, 404].contains(answer.status), "GET \(place): \(answer)")
                    if answer.status != 200 { #expect(answer.document["detail"]?.string?.isEmpty == false, "\(place)") }
                    // A route that is not there has no such answer.
                    if answer.status == 404 { #expect(path.contains("{"), "\(place)") }
                }
                if methods["post"] != nil {
                    let answer = try await site.post(place)
                    // 501: not every broker can do everything.
                    #expect([200, 400, 404, 409, 501].contains(answer.status), "POST \(place): \(answer)")
                    #expect((try? JSON(parsing: Array(answer.body.utf8)))?.object != nil, "POST \(place)")
                }
            }
        }
    }

    @Test("without a password it answers under a name of its own machine only")
    func local() async throws {
        try await DashboardSite.with { site in
            for host in ["localhost", "127.0.0.1:\(site.port)", "[::1]:80", "LOCALHOST"] {
                #expect(try await site.get("/tasks/tasks", ["Host": host]).status == 200, "\(host)")
            }
            for host in [
                "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "", "[::1", "10.0.0.1", "[::1]x",
                "localhost:80x", "127.0.0.1.",
            ] {
                let answer = try await site.get("/tasks/tasks", ["Host": host])
                #expect(answer.status == 403, "\(host)")
                #expect(!answer.body.contains("memory://"))
            }
        }
    }

    @Test("with a password or a token nobody gets in without")
    func secret() async throws {
        let access = try #require(DashboardAccess.secret(user: "ada", password: "pä:ss", token: "t0ken"))
        try await DashboardSite.with(.memory, Dashboard.Settings(access: access)) { site in
            func basic(_ text: String) -> String { "Basic " + Data(text.utf8).base64EncodedString() }
            for path in ["/tasks/tasks", "/tasks/openapi.json", "/tasks/assets/dashboard.css"] {
                let none = try await site.get(path, ["Host": "anywhere.example"])
                #expect(none.status == 401 && none.headers["www-authenticate"]?.hasPrefix("Basic") == true)
            }
            for wrong in [
                basic("ada:"), basic("ada:pä:ssx"), basic("eve:pä:ss"), "Bearer t0keN", "Bearer ", "Basic !", "x",
            ] {
                #expect(try await site.get("/tasks/tasks", ["Authorization": wrong]).status == 401, "\(wrong)")
            }
            for right in [basic("ada:pä:ss"), "Bearer t0ken", "bearer t0ken"] {
                #expect(try await site.get("/tasks/tasks", ["Authorization": right]).status == 200, "\(right)")
            }
        }
    }

    @Test("behind a proxy it believes the header that names the user, and tells each order with it")
    func proxy() async throws {
        let entries = Mutex<[AuditEntry]>([])
        var settings = Dashboard.Settings(audit: { entry in entries.withLock { $0.append(entry) } })
        settings.access = try #require(DashboardAccess.proxy(userHeader: "X-User"))
        try await DashboardSite.with(.memory, settings) { site in
            #expect(try await site.get("/tasks/tasks").status == 401)
            #expect(try await site.get("/tasks/tasks", ["X-User": "<b>ada"]).body.contains("&lt;b&gt;ada"))
            _ = try await site.app.send("t", Arguments(), options: EnqueueOptions(countdown: .seconds(60), id: "a/b"))
            let path = "/tasks/delayed/a%2Fb/cancel"
            #expect(try await site.post(path, "", ["X-User": "ada"]).body.contains("\"changed\":true"))
            #expect(try await site.post(path, "", ["X-User": "bob"]).body.contains("\"changed\":false"))
            let told = entries.withLock { $0 }
            #expect(told.map(\.user) == ["ada", "bob"] && told.map(\.hasChanged) == [true, false])
            #expect(told.allSatisfy { $0.target == "a/b" && $0.deed == "cancel the delayed task" })
        }
    }

    @Test("an order from another site is refused, whatever it says of itself")
    func foreign() async throws {
        try await DashboardSite.with { site in
            _ = try await site.app.send("t", Arguments(), options: EnqueueOptions(countdown: .seconds(60), id: "a"))
            for headers in [
                ["Sec-Fetch-Site": "cross-site"], ["Sec-Fetch-Site": "same-site"], ["Origin": "https://evil.example"],
                ["Origin": "null"], ["Sec-Fetch-Site": "none"], ["Origin": "http://localhost:1"],
            ] {
                #expect(try await site.post("/tasks/delayed/a/cancel", "", headers).status == 403, "\(headers)")
            }
            #expect(try await site.app.operator.delayedTasks.find("a") != nil)
            let own = ["Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"]
            #expect(try await site.post("/tasks/delayed/a/cancel", "", own).status == 200)
            #expect(try await site.app.operator.delayedTasks.find("a") == nil)
        }
    }

    @Test("one that only shows changes nothing, and offers nothing")
    func readOnly() async throws {
        try await DashboardSite.with(.memory, Dashboard.Settings(isReadOnly: true)) { site in
            _ = try await site.app.send("t", Arguments(), options: EnqueueOptions(id: "a"))
            for path in [
                "/tasks/tasks?state=waiting", "/tasks/tasks/a", "/tasks/delayed", "/tasks/dead", "/tasks/queues/celery",
            ] {
                let page = try await site.get(path)
                #expect(page.status == 200 && !page.body.contains("<button name=\"act\""), "\(path)")
                #expect(
                    !Markup(page.body).tags.contains {
                        $0.name == "form" && $0.attributes["action"]?.contains("/a/") == true
                    })
            }
            #expect(try await site.post("/tasks/tasks/a/cancel").status == 403)
            #expect(try await site.post("/tasks/batches", "of=tasks&act=cancel&id=a").status == 403)
        }
    }

    @Test("what is sent is a form or JSON, and a bad one has a clear answer", arguments: DashboardSite.Kind.allCases)
    func forms(_ kind: DashboardSite.Kind) async throws {
        try await DashboardSite.with(kind) { site in
            for id in ["a", "b", "c"] {
                _ = try await site.app.send("t", Arguments(), options: EnqueueOptions(countdown: .seconds(600), id: id))
            }
            let json = ["Content-Type": "application/json"]
            let sent = try await site.post(
                "/tasks/batches", #"{"of": "delayed", "act": "run", "id": ["a", "b"]}"#, json)
            let answer = try JSON(parsing: Array(sent.body.utf8))
            #expect(sent.status == 200 && answer["count"] == 2)
            let place = try #require(answer["place"]?.string)
            try await eventually("the batch is done") {
                try await site.json(place).document["state"] == "done"
            }
            #expect(try await site.json(place).document["changed"] == 2)
            #expect(try await site.post("/tasks/batches", "[1", json).status == 400)
            #expect(try await site.post("/tasks/batches", "a=%FF").status == 400)
            #expect(try await site.post("/tasks/delayed/c/move", "").status == 400)
            #expect(try await site.post("/tasks/delayed/c/move", "to=%2B1h").status == 200)
            // Without a script: an answer that leads to the page, and says once what came of it.
            let form = try await site.post("/tasks/delayed/c/run", "", ["Accept": "text/html"])
            #expect(form.status == 303)
            let next = try #require(form.headers["location"])
            #expect(try await site.get(next).body.contains("It runs now."))
            #expect(try await !site.get(next).body.contains("It runs now."))
            for path in [
                "/tasks/tasks?state=%3Cb%3E", "/tasks/tasks?since=x", "/tasks/dry-run?of=x&act=y", "/tasks/tasks?a=%FF",
            ] {
                #expect(try await site.get(path).status == 400, "\(path)")
            }
        }
    }

    @Test("what is said to browsers keeps everything from elsewhere out")
    func policy() async throws {
        try await DashboardSite.with { site in
            for path in ["/tasks/tasks", "/tasks/tasks/none", "/tasks/openapi.json", "/tasks/assets/dashboard.js"] {
                let headers = try await site.get(path).headers
                #expect(headers["content-security-policy"]?.hasPrefix("default-src 'none'") == true, "\(path)")
                #expect(headers["x-content-type-options"] == "nosniff" && headers["x-frame-options"] == "DENY")
            }
        }
    }

    @Test("a page is followed as server-sent events")
    func live() async throws {
        try await DashboardSite.with { site in
            let wire = try Wire(port: site.port)
            try await wire.send("GET", "/tasks/tasks?state=waiting", headers: ["Accept": "text/event-stream"])
            #expect(try await wire.streamed().headers["content-type"] == "text/event-stream")
            #expect(try await wire.text(until: "No task is like this").contains("event: page"))
            _ = try await site.app.send("t", Arguments(), options: EnqueueOptions(id: "fresh"))
            #expect(try await wire.text(until: "/tasks/tasks/fresh").contains("fresh"))
        }
    }
}
