// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

/// One canvas, sent and run by Celery and by us in every mixture, comes to the same: what Tests/Interop/canvases.json holds,
/// which Celery has made alone. Where it does not, and is not meant to, canvases.py says why.
@Suite("Workflows with Celery", .serialized, .timeLimit(.minutes(4)))
struct WorkflowTests {
    /// The directions in which we send: the queues of the parts in turn. Those in which Celery sends are in drive.py.
    private static let directions = [
        "from-swift": ["swift"], "swift-to-python": ["python"], "swift-to-both": ["swift", "python"],
        "swift-to-python-first": ["python", "swift"],
    ]

    /// - Parameter results: The database of the results.
    private func swiftWorker(_ server: RedisServer, results: Int = 0) async throws -> Program {
        let worker = try Program(
            "interop", ["worker", "-Q", "swift,celery", "-c", "8"],
            environment: ["CHARD_BROKER_URL": server.url, "CHARD_RESULTS_URL": server.url(database: results)])
        try await worker.says("ready")
        return worker
    }

    private func pythonWorker(
        _ server: RedisServer, _ options: [String], environment: [String: String] = [:]
    ) async throws -> Program {
        let worker = try Program.peer(["worker"] + options, redis: server.url, environment: environment)
        try await worker.says("ready.")
        return worker
    }

    private func differences(_ driver: Program) async throws -> JSON {
        try await driver.finished(within: .seconds(150))
        let answer = try JSON(parsing: Array(driver.output.utf8))
        #expect(answer["compared"]?.integer ?? 0 > 0, "\(driver.talk)")
        return answer["differences"] ?? .null
    }

    /// What Celery makes of a canvas, as its client sees it.
    private func golden() throws -> JSON {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../Interop/canvases.json")
        return try JSON(parsing: Array(try Data(contentsOf: file)))
    }

    @Test(
        "every canvas comes to what Celery makes of it, whoever sends it and whoever runs its parts",
        arguments: [(0, "in the broker"), (1, "in another database")])
    func canvases(results: Int, kept: String) async throws {
        try await RedisServer.with { server in
            let environment = ["RESULT_URL": server.url(database: results)]
            async let python = pythonWorker(server, ["-Q", "python,celery", "-c", "2"], environment: environment)
            async let swift = swiftWorker(server, results: results)
            let workers = try await [python, swift]
            let broker = RedisBroker(try RedisURL(server.url))
            let store = results == 0 ? broker : RedisBroker(try RedisURL(server.url(database: results)))
            let app = Chard("test", broker: broker, results: store)

            let pythonDirections = ["to-swift", "python-first", "swift-first"]
            try await app.operator.revoke(
                (pythonDirections + Self.directions.keys).flatMap { direction in
                    ["revoked_link", "revoked_member"].map { "\(direction)/\($0).gone" }
                })
            let theirs = try Program.peer(
                ["canvases"] + Self.directions.keys.flatMap { ["--expect", $0] }, redis: server.url,
                environment: environment)
            let theirDifferences = try await differences(theirs)
            #expect(theirDifferences == [:], "\(theirDifferences)")
            try await expectAnswers(by: app, of: ["python"] + pythonDirections, server)

            var sent: [Canvases.Sent] = []
            for (direction, queues) in Self.directions {
                sent += try await Canvases(app: app, broker: broker).send(direction, to: queues)
            }
            let ours = try Program.peer(
                ["canvases"] + Self.directions.keys.flatMap { ["--sent", $0] }, redis: server.url,
                environment: environment)
            let ourDifferences = try await differences(ours)
            #expect(ourDifferences == [:], "\(ourDifferences)")
            try await expectValues(of: sent)

            for worker in workers { worker.signal(SIGTERM) }
            for worker in workers { #expect(try await worker.finished() == 0, "\(worker.talk)") }
            await broker.shutdown()
            await store.shutdown()
        }
    }

    /// What a Celery client has sent, we can ask for as it does: by id, and its groups by theirs. In the first of these directions
    /// no part of it has run in Swift.
    private func expectAnswers(by app: Chard, of directions: [String], _ server: RedisServer) async throws {
        var compared = 0
        for (name, canvas) in try golden().object ?? [:] {
            guard let expected = canvas["value"], !Self.hasNothing(expected) else { continue }
            for direction in directions {
                let prefix = "\(direction)/\(name)"
                let sent = try JSON(parsing: Array(try await server.cli("GET", "interop:sent:\(prefix)").utf8))
                let found = try await answer(to: sent, by: app)
                // Of what has failed, the name; the texts have ids in them.
                let isSame = Self.isSame(found, expected) { $0.replacingOccurrences(of: prefix + ".", with: "") }
                #expect(isSame, "\(prefix): \(found), not \(expected)")
                compared += 1
            }
        }
        #expect(compared > 200)
    }

    /// - Parameter result: Celery's tuple.
    private func answer(to result: JSON, by app: Chard) async throws -> JSON {
        let id = result[0]?[0]?.string ?? ""
        if let members = result[1]?.array, !members.isEmpty {
            if members.allSatisfy({ $0[1]?.isNull ?? true }), result[0]?[1]?.isNull ?? true {
                let group = try #require(try await app.groupResult(of: id, returning: JSON.self), "group \(id)")
                #expect(group.members.map(\.id) == members.compactMap { $0[0]?[0]?.string })
            }
            var answers: [JSON] = []
            for member in members { answers.append(try await answer(to: member, by: app)) }
            return .array(answers)
        }
        if result[1]?.array != nil { return [] }
        let status = try await app.result(of: id).finalStatus(timeout: .seconds(5))
        return status.error.map { .string("\($0.type): ") } ?? status.result
    }

    /// Whether Celery comes to no end in some part.
    private static func hasNothing(_ value: JSON) -> Bool {
        value.isNull || value.array?.contains(where: hasNothing) == true
    }

    private static func isSame(_ answer: JSON, _ expected: JSON, _ short: (String) -> String) -> Bool {
        if let answers = answer.array, let expected = expected.array {
            return answers.count == expected.count && zip(answers, expected).allSatisfy { isSame($0, $1, short) }
        }
        guard let text = answer.string, let expected = expected.string else { return answer == expected }
        return text.hasSuffix(": ") ? expected.hasPrefix(text) : short(text) == expected
    }

    /// What we are told is what a Celery client is told; where that is told nothing, and Celery has no part in it, there is an
    /// end all the same.
    private func expectValues(of sent: [Canvases.Sent]) async throws {
        let golden = try golden()
        for canvas in sent {
            let expected = golden[canvas.name]?["value"] ?? .null
            if expected.isNull, !canvas.prefix.hasPrefix("from-swift/") { continue }
            do {
                let value = try await canvas.value().description.replacingOccurrences(of: canvas.prefix + ".", with: "")
                #expect(value == expected.description, "\(canvas.prefix)")
            } catch let error as TaskError {
                let failures = expected.array ?? [expected]
                #expect(
                    failures.contains { $0.isNull || $0.string?.hasPrefix(error.type + ":") == true },
                    "\(canvas.prefix): \(error), not \(expected)")
            }
        }
    }

    @Test("a group whose members run on both sides goes on finally, with an outcome for each")
    func finally() async throws {
        try await RedisServer.with { server in
            async let python = pythonWorker(server, ["-Q", "python", "-c", "2"])
            async let swift = swiftWorker(server)
            let workers = try await [python, swift]
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            let add: TaskHandle<Int, Int, Int> = app.reference(
                "interop.add", taking: Int.self, Int.self, returning: Int.self)
            let fail: TaskHandle<Int, String> = app.reference("interop.fail", taking: String.self, returning: Int.self)
            let echo: TaskHandle<JSON, [PartOutcome<Int>]> = app.reference(
                "interop.echo", taking: [PartOutcome<Int>].self, returning: JSON.self)
            var parts: [Signature<Int>] = []
            for queue in ["python", "swift"] {
                parts.append(try add.signature(1, 2, queue: queue))
                parts.append(try fail.signature("boom", queue: queue))
            }
            let result = try await group(parts).finally(
                echo, options: EnqueueOptions(queue: "swift"), queue: "swift"
            ).enqueue()
            let value = try await result.value(timeout: .seconds(30)).description
            #expect(value.split(separator: "\"result\":3").count == 3, "\(value)")
            #expect(value.split(separator: "boom").count == 3, "\(value)")
            #expect(value.split(separator: "ValueError").count == 3, "\(value)")
            try await eventually("nothing is left") {
                try await broker.queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
            }
            for worker in workers { worker.signal(SIGTERM) }
            for worker in workers { #expect(try await worker.finished() == 0, "\(worker.talk)") }
            await broker.shutdown()
        }
    }

    @Test(
        "in Celery alone a failure never reaches a chord around a chord, nor the members of a group at the end of a chain"
    )
    func untoldByCelery() async throws {
        try await RedisServer.with { server in
            let worker = try await pythonWorker(server, ["-Q", "celery", "-c", "2"])
            let driver = try Program.peer(["untold"], redis: server.url)
            #expect(try await driver.finished(within: .seconds(60)) == 0, "\(driver.talk)")
            let states = try JSON(parsing: Array(driver.output.utf8))
            #expect(
                states == ["inner": "FAILURE", "outer": "PENDING", "members": ["PENDING", "PENDING"]], "\(states)")
            worker.signal(SIGTERM)
            #expect(try await worker.finished() == 0, "\(worker.talk)")
        }
    }

    /// See `FailureNotice`.
    @Test(
        "a failure in Python reaches those whom Celery does not tell: a chord around a chord, a group at the end of a chain"
    )
    func untold() async throws {
        try await RedisServer.with { server in
            async let python = pythonWorker(server, ["-Q", "python", "-c", "2"])
            async let swift = swiftWorker(server)
            let workers = try await [python, swift]
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            let add: TaskHandle<Int, Int, Int> = app.reference(
                "interop.add", taking: Int.self, Int.self, returning: Int.self,
                options: TaskOptions(queue: "python"))
            let fail: TaskHandle<Int, String> = app.reference(
                "interop.fail", taking: String.self, returning: Int.self, options: TaskOptions(queue: "python"))
            let sum: TaskHandle<Int, [Int]> = app.reference(
                "interop.xsum", taking: [Int].self, returning: Int.self, options: TaskOptions(queue: "python"))
            let first = try add.signature(0, 0)

            let inner = try group([fail.signature("boom").workflow, add.signature(1, 1).workflow]).then(sum)
            let outer = try group([inner, add.signature(2, 2).workflow]).then(sum)
            let deep = try group([outer, add.signature(3, 3).workflow]).then(sum).then(add, with: 1)
            let nested = try await deep.enqueue()
            // A chord that Python sends, as a step of a chain.
            let behind = try await group([first.then(inner), add.signature(2, 2).workflow]).then(sum).enqueue()
            let each = try await fail.signature("boom").then(eachOf: [add, add], with: 1).enqueue()
            let members = try await group([
                fail.signature("boom").then(eachOf: [add, add], with: 1)
                    .then(sum), add.signature(1, 1).workflow,
            ]).then(sum).enqueue()

            for result in [nested, behind, members] {
                let status = try await result.finalStatus(timeout: .seconds(40))
                #expect(status.state == .failure && status.error?.type == "ChordError", "\(status)")
            }
            for member in each.members {
                let status = try await member.finalStatus(timeout: .seconds(40))
                #expect(status.state == .failure && status.error?.type == "ValueError", "\(status)")
            }
            try await eventually("nothing is left") {
                try await broker.queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
            }
            for worker in workers { worker.signal(SIGTERM) }
            for worker in workers { #expect(try await worker.finished() == 0, "\(worker.talk)") }
            await broker.shutdown()
        }
    }

    @Test("Celery loses a chord whose last worker is killed before it sends the body; a Swift member carries it on")
    func lostBody() async throws {
        try await RedisServer.with { server in
            let broker = RedisBroker(try RedisURL(server.url))
            let app = Chard("test", broker: broker)
            let t = Canvases.Parts(app, "lost/chord", ["python"])
            let chord = try await group([try t("a")]).then(
                t.join, with: t.spec("b"), options: EnqueueOptions(queue: "swift")
            ).enqueue()
            let member = try await server.cli("LRANGE", "python", "0", "-1")
            let group = try #require(try TaskMessage(decoding: Array(member.utf8)).group)

            // As by default, the member is acknowledged before it runs.
            let dying = try await pythonWorker(
                server, ["-Q", "python", "-c", "1"], environment: ["DIES_BEFORE_BODY": "1"])
            #expect(try await dying.finished() == -SIGKILL)
            let claim = "celery-taskset-meta-\(group).c"
            #expect(try await server.cli("EXISTS", claim) == "1")
            // Nothing is left that could send the body: no message anywhere, and the member has succeeded.
            for key in ["python", "swift", "unacked"] { #expect(try await server.cli("EXISTS", key) == "0", "\(key)") }

            // The member comes again, to a Swift worker, while the dead one's claim holds.
            let swift = try await swiftWorker(server)
            try await server.cli("LPUSH", "swift", member)
            try await eventually("the member has run again") {
                try await server.cli("LLEN", "interop:runs:lost/chord") == "2"
            }
            if try await server.cli("EXISTS", claim) == "1" {
                #expect(try await chord.status().state == .pending)
            }
            #expect(try await chord.value(timeout: .seconds(30)) == "lost/chord.b([lost/chord.a()])")
            try await eventually("the member is settled") {
                try await broker.queues().allSatisfy { $0.waiting == 0 && $0.leased == 0 }
            }
            #expect(try await server.cli("LLEN", "interop:runs:lost/chord") == "3")
            #expect(try await server.cli("GET", claim) == "done")
            swift.signal(SIGTERM)
            #expect(try await swift.finished() == 0, "\(swift.talk)")
            await broker.shutdown()
        }
    }
}
