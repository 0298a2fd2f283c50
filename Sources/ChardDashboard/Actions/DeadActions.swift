// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Action {
    static let deadActions: [Action] = [
        Action("/dead/{letter}/requeue", "requeue the dead letter") { order in
            let isDone = try await order.operator.deadLetters.requeue(order.name("letter"))
            return outcome(isDone, "It is back in its queue.")
        },
        Action("/dead/{letter}/drop", "drop the dead letter") { order in
            let isDone = try await order.operator.deadLetters.drop(order.name("letter"))
            return outcome(isDone, "It is deleted.")
        },
        Action("/aside/{item}/restore", "restore what was put aside") { order in
            let isDone = try await order.operator.aside.restore(order.name("item"))
            return outcome(isDone, "It is back where it stood.")
        },
        Action("/aside/{item}/drop", "drop what was put aside") { order in
            let isDone = try await order.operator.aside.drop(order.name("item"))
            return outcome(isDone, "It is deleted.")
        },
    ]

    private static func outcome(_ isDone: Bool, _ text: String) -> Outcome {
        Outcome(ifDone: isDone, text, at: "/dead")
    }
}
