// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Action {
    static let delayedActions: [Action] = [
        Action("/delayed/{task}/run", "run the delayed task now") { order in
            let isDone = try await order.operator.delayedTasks.runNow(order.name("task"))
            return outcome(isDone, "It runs now.")
        },
        Action("/delayed/{task}/cancel", "cancel the delayed task") { order in
            let isDone = try await order.operator.delayedTasks.cancel(order.name("task"))
            return outcome(isDone, "It is called off, and will not run.")
        },
        Action(
            "/delayed/{task}/move", "move the delayed task to another time",
            fields: [Field("to", "in so long, or when: \(TimeFilter.expected)", isRequired: true)]
        ) { order in
            let time = try TimeFilter.future("to", try order.required("to"), now: order.question.now)
            let isDone = try await order.operator.delayedTasks.move(order.name("task"), to: time)
            return outcome(isDone, "It is to run at \(Wording.time(time)).")
        },
    ]

    private static func outcome(_ isDone: Bool, _ text: String) -> Outcome {
        Outcome(ifDone: isDone, text, orGone: "Its time has come, or somebody else was first.", at: "/delayed")
    }
}
