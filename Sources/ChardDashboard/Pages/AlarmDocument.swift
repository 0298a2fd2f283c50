// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// An alarm as pages have it.
enum AlarmDocument {
    static func make(_ alarm: Alarm) -> JSON {
        [
            "severity": .string(alarm.severity.rawValue), "text": .string(alarm.text),
            "is_danger": .bool(alarm.severity == .danger), "path": .string(path(of: alarm.subject)),
        ]
    }

    /// The page that shows what it is about.
    private static func path(of subject: Alarm.Subject) -> String {
        switch subject {
        case .queue(let queue): "/queues/\(PercentCoding.encode(queue))"
        case .queues: "/queues"
        case .failures: "/tasks?state=failed&since=1h"
        case .deadLetters: "/dead"
        case .workers: "/workers"
        case .schedules: "/schedules"
        }
    }
}
