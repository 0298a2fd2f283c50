// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Action {
    static let workerActions: [Action] = [
        Action("/workers/{node}/quiet", "quiet the worker") { order in
            let node = order.name("node")
            let answers = try await order.operator.remote.ask("active_queues", of: .nodes([node]))
            guard !answers.isEmpty else { throw silent(node) }
            let queues = Set(answers.flatMap { ($0.answer.array ?? []).compactMap { $0["name"]?.string } }).sorted()
            for queue in queues { try await tell(node, "cancel_consumer", ["queue": .string(queue)], by: order) }
            return Outcome(
                queues.isEmpty
                    ? "\(node) took from no queue already."
                    : "\(node) takes nothing more from \(queues.joined(separator: ", ")), and ends what it has begun.",
                hasChanged: !queues.isEmpty, at: place(of: node))
        },
        Action(
            "/workers/{node}/consume", "have the worker serve a queue",
            fields: [Field("queue", "its name", isRequired: true)]
        ) { order in
            let (node, queue) = (order.name("node"), try order.required("queue"))
            try await tell(node, "add_consumer", ["queue": .string(queue)], by: order)
            return Outcome("\(node) takes from \(queue), too.", at: place(of: node))
        },
        Action(
            "/workers/{node}/slots", "change how many tasks the worker runs at once",
            fields: [Field("by", "how many more; less than 0 for fewer", isRequired: true)]
        ) { order in
            let (node, text) = (order.name("node"), try order.required("by"))
            guard let change = Int(text), change != 0, abs(change) <= 1_000 else {
                throw PageError(
                    .badRequest,
                    "The field \"by\" is \"\(text.prefix(100))\"; it must be a whole number from -1000 to 1000, not 0.")
            }
            try await tell(
                node, change > 0 ? "pool_grow" : "pool_shrink", ["n": .integer(abs(change))], by: order)
            return Outcome(
                "\(node) runs \(abs(change)) \(change > 0 ? "more" : "fewer") at once, until it starts again.",
                at: place(of: node))
        },
        Action("/workers/{node}/stop", "stop the worker") { order in
            let node = order.name("node")
            let remote = order.operator.remote
            guard !(try await remote.ask("ping", of: .nodes([node]))).isEmpty else { throw silent(node) }
            try await remote.tell("shutdown", of: .nodes([node]))
            return Outcome("\(node) was told to stop. It ends what it has begun.", at: "/workers")
        },
    ]

    /// Has a worker do something, which it may refuse.
    private static func tell(
        _ node: String, _ method: String, _ arguments: [String: JSON], by order: Order
    ) async throws {
        let replies = try await order.operator.remote.ask(method, arguments, of: .nodes([node]))
        guard !replies.isEmpty else { throw silent(node) }
        if let error = replies.compactMap(\.error).first { throw PageError(.conflict, "\(node): \(error)") }
    }

    private static func silent(_ node: String) -> PageError {
        PageError(.conflict, "\(node) does not answer. It was told nothing.")
    }

    private static func place(of node: String) -> String { "/workers/\(PercentCoding.encode(node))" }
}
