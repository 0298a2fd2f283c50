// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

extension Action {
    static let workerActions: [Action] = [
        Action("/workers/{node}/quiet", "quiet the worker") { order in
            let node = order.name("node")
            let remote = order.operator.remote
            let answers = try await remote.ask("active_queues", of: .nodes([node]))
            guard !answers.isEmpty else { throw silent(node) }
            let queues = answers.flatMap { ($0.answer.array ?? []).compactMap { $0["name"]?.string } }
            for queue in Set(queues).sorted() {
                let replies = try await remote.ask("cancel_consumer", ["queue": .string(queue)], of: .nodes([node]))
                if let error = replies.compactMap(\.error).first { throw PageError(.conflict, "\(node): \(error)") }
            }
            return Outcome(
                queues.isEmpty
                    ? "\(node) took from no queue already."
                    : "\(node) takes nothing more from \(Set(queues).sorted().joined(separator: ", ")), and ends what it has begun.",
                hasChanged: !queues.isEmpty, at: place(of: node))
        },
        Action("/workers/{node}/stop", "stop the worker") { order in
            let node = order.name("node")
            let remote = order.operator.remote
            guard !(try await remote.ask("ping", of: .nodes([node]))).isEmpty else { throw silent(node) }
            try await remote.tell("shutdown", of: .nodes([node]))
            return Outcome("\(node) was told to stop. It ends what it has begun.", at: "/workers")
        },
    ]

    private static func silent(_ node: String) -> PageError {
        PageError(.conflict, "\(node) does not answer. It was told nothing.")
    }

    private static func place(of node: String) -> String { "/workers/\(PercentCoding.encode(node))" }
}
