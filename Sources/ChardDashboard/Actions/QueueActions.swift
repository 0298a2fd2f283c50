// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Action {
    static let queueActions: [Action] = [
        Action("/queues/{queue}/pause", "pause the queue") { order in
            let queue = order.name("queue")
            let isNew = try await order.operator.queues.pause(queue)
            return Outcome(
                isNew ? "The queue \(queue) is paused." : "The queue \(queue) was paused already.", hasChanged: isNew,
                at: place(of: queue))
        },
        Action("/queues/{queue}/resume", "resume the queue") { order in
            let queue = order.name("queue")
            let isNew = try await order.operator.queues.resume(queue)
            return Outcome(
                isNew ? "The queue \(queue) goes on." : "The queue \(queue) was not paused.", hasChanged: isNew,
                at: place(of: queue))
        },
        Action(
            "/queues/{queue}/purge", "purge the queue",
            fields: [Field("delayed", "true deletes those that wait for their time, too")]
        ) { order in
            let queue = order.name("queue")
            let count = try await order.operator.queues.purge(queue, delayed: order.field("delayed") == "true")
            return Outcome(
                "\(Wording.count(Double(count))) messages of \(queue) were deleted.", hasChanged: count > 0,
                at: place(of: queue), details: ["count": .integer(count)])
        },
    ]

    private static func place(of queue: String) -> String { "/queues/\(PercentCoding.encode(queue))" }
}
