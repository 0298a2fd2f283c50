// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import FoundationEssentials

/// Those canvases of Tests/Interop/canvases.py that can be written in Swift, by their names there.
struct Canvases {
    /// What the parts of a canvas are made with: labels that begin with its prefix, and the queues in turn.
    final class Parts {
        let prefix: String
        let step: TaskHandle<JSON, JSON>
        let next: TaskHandle<JSON, JSON, JSON>
        let join: TaskHandle<JSON, [JSON], JSON>
        let caught: TaskHandle<JSON, String, JSON>
        let sum: TaskHandle<JSON, [Int]>
        private let queues: [String]
        private var made = 0

        init(_ app: Chard, _ prefix: String, _ queues: [String]) {
            (self.prefix, self.queues) = (prefix, queues)
            step = app.reference("interop.step", taking: JSON.self, returning: JSON.self)
            next = app.reference("interop.step", taking: JSON.self, JSON.self, returning: JSON.self)
            join = app.reference("interop.step", taking: [JSON].self, JSON.self, returning: JSON.self)
            caught = app.reference("interop.caught", taking: String.self, JSON.self, returning: JSON.self)
            sum = app.reference("interop.xsum", taking: [Int].self, returning: JSON.self)
        }

        func spec(_ name: String, _ more: [String: JSON] = [:]) -> JSON {
            .object(["label": .string("\(prefix).\(name)")].merging(more) { $1 })
        }

        func options(_ options: EnqueueOptions = EnqueueOptions()) -> EnqueueOptions {
            var options = options
            options.queue = queues[made % queues.count]
            made += 1
            return options
        }

        func callAsFunction(
            _ name: String, _ more: [String: JSON] = [:], _ options: EnqueueOptions = EnqueueOptions()
        ) throws -> Workflow<JSON> {
            try step.signature(spec(name, more), options: self.options(options)).workflow
        }

        /// A task of the app whose calls all go to the queue that is next.
        func each(_ app: Chard) -> TaskHandle<JSON, JSON> {
            app.reference(
                "interop.step", taking: JSON.self, returning: JSON.self,
                options: TaskOptions(queue: options().queue))
        }

        func failing(_ name: String) throws -> Workflow<JSON> { try self(name, ["fail": true]) }

        var late: EnqueueOptions {
            EnqueueOptions(expiresAt: Date(timeIntervalSince1970: 1_577_836_800), id: "\(prefix).late")
        }
        var gone: EnqueueOptions { EnqueueOptions(id: "\(prefix).gone") }
    }

    /// What is sent at once.
    enum Canvas {
        case workflow(Workflow<JSON>)
        case group(Group<JSON>)
        case chunks(Group<[JSON]>)
    }

    /// What was sent, and how to ask for what it comes to.
    struct Sent: Sendable {
        let name: String
        let prefix: String
        let value: @Sendable () async throws -> JSON
    }

    let app: Chard
    let broker: RedisBroker

    /// Sends them all.
    func send(_ direction: String, to queues: [String]) async throws -> [Sent] {
        var sent: [Sent] = []
        for (name, make) in Self.all {
            let prefix = "\(direction)/\(name)"
            let value: @Sendable () async throws -> JSON
            switch try make(Parts(app, prefix, queues), app) {
            case .workflow(let workflow):
                let result = try await workflow.enqueue()
                try await note(prefix, [[.string(result.id), nil], nil])
                value = { try await result.value(timeout: .seconds(20)) }
            case .group(let group):
                let result = try await group.enqueue()
                try await note(prefix, result)
                value = { .array(try await result.values(timeout: .seconds(20))) }
            case .chunks(let group):
                let result = try await group.enqueue()
                try await note(prefix, result)
                value = { .array(try await result.values(timeout: .seconds(20)).map(JSON.array)) }
            }
            sent.append(Sent(name: name, prefix: prefix, value: value))
        }
        return sent
    }

    private func note<Element: Sendable>(_ prefix: String, _ group: GroupResult<Element>) async throws {
        let members = group.members.map { [[.string($0.id), nil], nil] as JSON }
        try await note(prefix, [[.string(group.id), nil], .array(members)])
    }

    private func note(_ prefix: String, _ tuple: JSON) async throws {
        _ = try await broker.client.send(RedisCommand("SET", "interop:sent:\(prefix)", tuple.encoded()))
    }

    static let all: [(String, @Sendable (Parts, Chard) throws -> Canvas)] = [
        ("three", { t, _ in .workflow(try t("a").then("b", t).then("c", t)) }),
        (
            "options",
            { t, _ in
                var late = EnqueueOptions(countdown: .seconds(0.2), expires: .seconds(600), priority: 3)
                late.headers = ["word": "x"]
                late.timeLimit = .seconds(30)
                let a = try t("a").then("b", t, options: late)
                return .workflow(
                    try a.then("c", t, options: EnqueueOptions(ignoresResult: true)).then("d", t))
            }
        ),
        ("chain_in_chain", { t, _ in .workflow(try t("a").then("b", t).then("c", t).then("d", t)) }),
        (
            "failing_chain",
            { t, _ in
                let chain = try t("a").then("b", t, ["fail": true]).then("c", t).then("d", t)
                return .workflow(try chain.caught(t))
            }
        ),
        ("revoked_link", { t, _ in .workflow(try t("a").then("gone", t, options: t.gone).then("c", t)) }),
        ("expired_link", { t, _ in .workflow(try t("a").then("late", t, options: t.late).then("c", t)) }),
        ("retried_link", { t, _ in .workflow(try t("a").then("b", t, ["retry": 2]).then("c", t)) }),
        (
            "link",
            { t, _ in
                .workflow(try t("a").onSuccess(t.next, with: t.spec("b"), options: t.options()))
            }
        ),
        (
            "link_error",
            { t, _ in
                let a = try t.failing("a").caught(t, "one").caught(t, "two")
                return .workflow(try a.onSuccess(t.next, with: t.spec("never"), options: t.options()))
            }
        ),
        ("link_error_unused", { t, _ in .workflow(try t("a").caught(t)) }),
        ("three_at_once", { t, _ in .group(try group([try t("a"), try t("b"), try t("c")])) }),
        ("group_of_one", { t, _ in .group(try group([try t("a")])) }),
        ("failing_group", { t, _ in .group(try group([try t("a"), try t.failing("b").then("c", t)])) }),
        ("fan", { t, app in .group(try t("a").then(eachOf: [t.each(app), t.each(app)])) }),
        ("fan_in", { t, app in .workflow(try t("a").then(eachOf: [t.each(app), t.each(app)]).then("b", t)) }),
        ("a_chord", { t, _ in .workflow(try group([try t("a"), try t("b"), try t("c")]).then("d", t)) }),
        ("chord_of_one", { t, _ in .workflow(try group([try t("a")]).then("b", t)) }),
        (
            "failing_chord",
            { t, _ in
                .workflow(try group([try t("a"), try t.failing("b"), try t("c")]).then("d", t).caught(t))
            }
        ),
        (
            "failing_chord_then",
            { t, _ in
                .workflow(try group([try t("a"), try t.failing("b")]).then("c", t).then("d", t).then("e", t))
            }
        ),
        (
            "chord_then",
            { t, _ in .workflow(try group([try t("a"), try t("b")]).then("c", t).then("d", t).then("e", t)) }
        ),
        (
            "failing_body",
            { t, _ in
                let body = try group([try t("a"), try t("b")]).then("c", t, ["fail": true]).caught(t)
                return .workflow(try body.then("d", t))
            }
        ),
        (
            "errbacks_in_header",
            { t, _ in
                let members = [try t.failing("a").caught(t, "one"), try t("b")]
                return .workflow(try group(members).then("c", t).caught(t, "two"))
            }
        ),
        (
            "chord_with_link",
            { t, _ in
                let chord = try group([try t("a"), try t("b")]).then("c", t)
                return .workflow(try chord.onSuccess(t.next, with: t.spec("d"), options: t.options()))
            }
        ),
        (
            "chord_in_header",
            { t, _ in
                let inner = try group([try t("a"), try t("b")]).then("c", t)
                return .workflow(try group([inner, try t("d")]).then("e", t))
            }
        ),
        (
            "failing_chord_in_header",
            { t, _ in
                let inner = try group([try t("a"), try t.failing("b")]).then("c", t)
                return .workflow(try group([inner, try t("d")]).then("e", t).then("f", t))
            }
        ),
        (
            "failing_chain_in_header",
            { t, _ in
                let chain = try t("a").then("b", t, ["fail": true]).then("c", t)
                return .workflow(try group([chain, try t("d")]).then("e", t))
            }
        ),
        ("retried_member", { t, _ in .workflow(try group([try t("a", ["retry": 2]), try t("b")]).then("c", t)) }),
        ("revoked_member", { t, _ in .workflow(try group([try t("a"), try t("gone", [:], t.gone)]).then("c", t)) }),
        ("expired_member", { t, _ in .workflow(try group([try t("a"), try t("late", [:], t.late)]).then("c", t)) }),
        (
            "chunked_sums",
            { t, _ in
                .chunks(try group(t.sum, over: [[1, 2], [3], []], inChunksOf: 2, options: t.options()))
            }
        ),
    ]
}

extension Workflow<JSON> {
    fileprivate func then(
        _ name: String, _ t: Canvases.Parts, _ more: [String: JSON] = [:], options: EnqueueOptions = EnqueueOptions()
    ) throws -> Workflow<JSON> {
        try then(t.next, with: t.spec(name, more), options: t.options(options))
    }

    fileprivate func caught(_ t: Canvases.Parts, _ name: String = "caught") throws -> Workflow<JSON> {
        try onFailure(t.caught, with: t.spec(name), options: t.options())
    }
}

extension Group<JSON> {
    fileprivate func then(
        _ name: String, _ t: Canvases.Parts, _ more: [String: JSON] = [:]
    ) throws -> Workflow<JSON> {
        try then(t.join, with: t.spec(name, more), options: t.options())
    }
}
