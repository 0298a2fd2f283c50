// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskStatus {
    /// Says of its task what Celery's `result_extended` does.
    mutating func extend(by message: TaskMessage, _ node: String) {
        extra["name"] = .string(message.task)
        if let arguments = try? message.decodeBody(limits: .held).arguments() {
            extra["args"] = .array(arguments.positional)
            extra["kwargs"] = .object(arguments.keywords)
        }
        extra["worker"] = .string(node)
        extra["retries"] = .integer(message.retries)
        extra["queue"] = .string(message.properties.routingKey)
    }
}
