// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// What is said of messages whose task a worker does not have: in their failure, and once of each name in the log.
final class UnknownTasks: Sendable {
    private let known: [String]
    private let logger: Logger
    private let told = Mutex<[String: String]>([:])

    /// More names than this are nobody's slips: others are told of in their failures only.
    private static let mostTold = 100
    private static let mostListed = 20

    init(known: some Sequence<String>, logger: Logger) {
        self.known = known.sorted()
        self.logger = logger
    }

    /// The failure of a message that asks for `name`.
    func failure(for name: String) -> TaskError {
        let name = name.limited
        if let text = told.withLock({ $0[name] }) { return error(text) }
        let text = text(for: name)
        let isNews = told.withLock { told in
            guard told.count < Self.mostTold else { return false }
            return told.updateValue(text, forKey: name) == nil
        }
        if isNews {
            logger.warning(
                "a message asks for a task that this worker does not have",
                metadata: [LogKey.task: "\(name)", LogKey.error: "\(text)"])
        }
        return error(text)
    }

    private func error(_ text: String) -> TaskError {
        TaskError("NotRegistered", text, module: "celery.exceptions")
    }

    /// Begins with the name, as Celery's failure is the name.
    private func text(for name: String) -> String {
        var text = name
        if let nearest = NearestNames.nearest(to: name, among: known).first { text += " (did you mean \(nearest)?)" }
        if known.isEmpty {
            text += "; this worker has no tasks"
        } else {
            text += "; this worker has \(known.prefix(Self.mostListed).joined(separator: ", "))"
            if known.count > Self.mostListed { text += " and \(known.count - Self.mostListed) more" }
        }
        return text
            + ". A task that is a global outside of main.swift is registered only when something uses it: add a TaskSet"
    }
}
