// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import HTTPTypes

/// A schedule that somebody adds or changes with a form: what is not said stays as it is.
enum ScheduleForm {
    static let fields: [Action.Field] = [
        Action.Field("name", "the schedule; one of this name is changed", isRequired: true),
        Action.Field("task", "the name of the task that it calls"),
        Action.Field("cron", "when, as in cron; either this or every"),
        Action.Field("time_zone", "the time zone of cron; UTC unless it is said"),
        Action.Field("every", "when: at every multiple of so many seconds since 1970"),
        Action.Field("args", "the arguments by position, a JSON array"),
        Action.Field("kwargs", "the arguments by name, a JSON object"),
        Action.Field("queue", "the queue; where the beat's routes lead unless it is said"),
    ]

    /// - Throws: ``PageError`` with all that is wrong with it.
    static func read(_ order: Order, over present: Schedule?) throws -> Schedule {
        var problems: [String] = []
        func trying<Value>(_ body: () throws -> Value) -> Value? {
            do {
                return try body()
            } catch let error as PageError {
                problems.append(error.text)
            } catch {
                problems.append("\(error)")
            }
            return nil
        }
        let name = order.field("name") ?? ""
        let timing = trying { try Self.timing(order, over: present) }
        let task = order.field("task") ?? present?.call.task
        if task == nil { problems.append("Say which task is to be called.") }
        let positional = trying { try Self.positional(order) }
        let keywords = trying { try Self.keywords(order) }
        guard problems.isEmpty, let timing, let task else {
            throw PageError(.unprocessableContent, problems.joined(separator: "\n"))
        }
        var schedule = present ?? Schedule(name, timing, call: PeriodicCall(task))
        schedule.timing = timing
        schedule.call.task = task
        if let given = positional ?? nil { schedule.call.arguments.positional = given }
        if let given = keywords ?? nil { schedule.call.arguments.keywords = given }
        if let queue = order.field("queue") { schedule.call.queue = queue }
        return schedule
    }

    private static func timing(_ order: Order, over present: Schedule?) throws -> Timing {
        let (cron, every) = (order.field("cron"), order.field("every"))
        switch (cron, every) {
        case (_?, _?): throw PageError(.unprocessableContent, "Say either cron or every so many seconds, not both.")
        case (let cron?, nil):
            // Which of both days must fit is in no field of the form.
            var days = CronExpression.DayRule.both
            if case .cron(let expression, _) = present?.timing { days = expression.dayRule }
            return .cron(
                try CronExpression(cron, days: days), timeZone: order.field("time_zone") ?? "UTC")
        case (nil, let every?):
            guard let seconds = Double(every), (0...3_155_760_000).contains(seconds) else {
                throw PageError(.unprocessableContent, "\"\(every.prefix(100))\" is no number of seconds.")
            }
            return .every(.seconds(seconds))
        case (nil, nil):
            guard let present else {
                throw PageError(.unprocessableContent, "Say when: with cron, or every so many seconds.")
            }
            return present.timing
        }
    }

    private static func positional(_ order: Order) throws -> [JSON]? {
        guard let text = order.field("args") else { return nil }
        guard let array = try FormJSON.value(text, named: "args").array else {
            throw PageError(.unprocessableContent, "The arguments are no JSON array such as [1, \"two\"].")
        }
        return array
    }

    private static func keywords(_ order: Order) throws -> [String: JSON]? {
        guard let text = order.field("kwargs") else { return nil }
        guard let object = try FormJSON.value(text, named: "kwargs").object else {
            throw PageError(.unprocessableContent, "The keyword arguments are no JSON object such as {\"size\": 3}.")
        }
        return object
    }
}
