// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Action {
    static let scheduleActions: [Action] = [
        Action("/schedules", "add or change a schedule", fields: ScheduleForm.fields) { order in
            let name = try order.required("name")
            let schedules = order.operator.schedules
            let present = try await schedules.find(name)?.schedule
            let schedule = try ScheduleForm.read(order, over: present)
            try await PageError.saying { try await schedules.put(schedule) }
            return Outcome(
                "The schedule \(name) is \(present == nil ? "added" : "changed"): \(schedule.words).",
                at: place(of: name))
        },
        Action("/schedules/{name}/pause", "pause the schedule") { order in
            try await change(order, "is paused: it is not called until it is resumed") { try await $0.pause($1) }
        },
        Action("/schedules/{name}/resume", "resume the schedule") { order in
            try await change(order, "goes on, from now") { try await $0.resume($1) }
        },
        Action("/schedules/{name}/reset", "make the schedule what the code says") { order in
            try await change(order, "is what the code says") { try await $0.reset($1) }
        },
        Action("/schedules/{name}/remove", "remove the schedule") { order in
            try await change(order, "is removed", at: "/schedules") { try await $0.remove($1) }
        },
        Action("/schedules/{name}/run", "run the schedule now") { order in
            let name = order.name("name")
            guard let id = try await order.operator.schedules.runNow(name) else {
                throw PageError.missing("schedule \(name)")
            }
            return Outcome(
                "The call of \(name) was sent, as \(id). Its times go on as if nothing had been.", at: place(of: name),
                details: ["id": .string(id)])
        },
    ]

    private static func change(
        _ order: Order, _ done: String, at page: String? = nil,
        _ body: (Operator.Schedules, String) async throws -> Bool
    ) async throws -> Outcome {
        let name = order.name("name")
        guard try await body(order.operator.schedules, name) else { throw PageError.missing("schedule \(name)") }
        return Outcome("The schedule \(name) \(done).", at: page ?? place(of: name))
    }

    private static func place(of name: String) -> String { "/schedules/\(PercentCoding.encode(name))" }
}
