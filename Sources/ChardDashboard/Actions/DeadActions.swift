// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Action {
    static let deadActions: [Action] = [
        Action("/dead/{letter}/requeue", "requeue the dead letter") { order in
            let isNew = try await order.operator.deadLetters.requeue(order.name("letter"))
            return outcome(isNew, "It is back in its queue.")
        },
        Action("/dead/{letter}/drop", "drop the dead letter") { order in
            let isNew = try await order.operator.deadLetters.drop(order.name("letter"))
            return outcome(isNew, "It is deleted.")
        },
        Action("/aside/{item}/restore", "restore what was put aside") { order in
            let isNew = try await order.operator.aside.restore(order.name("item"))
            return outcome(isNew, "It is back where it stood.")
        },
        Action("/aside/{item}/drop", "drop what was put aside") { order in
            let isNew = try await order.operator.aside.drop(order.name("item"))
            return outcome(isNew, "It is deleted.")
        },
    ]

    private static func outcome(_ isNew: Bool, _ text: String) -> Outcome {
        Outcome(
            isNew ? text : "It was not there any more: somebody else was first. Nothing was done.", hasChanged: isNew,
            at: "/dead")
    }
}
