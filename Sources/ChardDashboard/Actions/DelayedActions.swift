// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension Action {
    static let delayedActions: [Action] = [
        Action("/delayed/{task}/run", "run the delayed task now") { order in
            let isNew = try await order.operator.delayedTasks.runNow(order.name("task"))
            return outcome(isNew, "It runs now.")
        },
        Action("/delayed/{task}/cancel", "cancel the delayed task") { order in
            let isNew = try await order.operator.delayedTasks.cancel(order.name("task"))
            return outcome(isNew, "It is called off, and will not run.")
        },
        Action(
            "/delayed/{task}/move", "move the delayed task to another time",
            fields: [Field("to", "in so long, or when: \(TimeFilter.expected)", isRequired: true)]
        ) { order in
            let time = try TimeFilter.future("to", try order.required("to"), now: order.question.now)
            let isNew = try await order.operator.delayedTasks.move(order.name("task"), to: time)
            return outcome(isNew, "It is to run at \(Wording.time(time)).")
        },
    ]

    private static func outcome(_ isNew: Bool, _ text: String) -> Outcome {
        Outcome(
            isNew ? text : "Nothing was done: it was not there any more. Its time has come, or somebody was first.",
            hasChanged: isNew, at: "/delayed")
    }
}
