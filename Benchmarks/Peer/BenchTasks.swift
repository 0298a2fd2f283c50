// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// The tasks that are measured.
struct BenchTasks: Sendable {
    /// Returns its first argument. With a payload or without: callers that send none spare it in the message.
    let echo: TaskHandle<Int, Int>
    let echoPayload: TaskHandle<Int, Int, String?>
    /// Returns when its body ran, in seconds since 1970.
    let now: TaskHandle<Double>
    /// Notes when it was due and when it ran.
    let due: TaskHandle<Void, Int, Double>
    /// Sleeps, and notes its beginning and its end.
    let slow: TaskHandle<Void, Int, Double>
    /// Counts what a chord's members have returned.
    let total: TaskHandle<Int, [Int]>

    init(_ app: Chard, trace: Trace, ignoresResults: Bool) {
        let options = TaskOptions(ignoresResult: ignoresResults)
        echoPayload = app.task("echo", parameters: ["i", "payload"], options: options) { (i: Int, _: String?) in
            try trace.first()
            return i
        }
        echo = app.reference("echo", taking: Int.self, returning: Int.self, options: options)
        now = app.task("now") { Trace.now }
        total = app.task("total") { (values: [Int]) in values.count }
        due = app.task("due", options: options) { (i: Int, time: Double) -> Void in
            try trace.write("D \(i) \(time) \(Trace.now)")
        }
        slow = app.task("slow", options: options) { (i: Int, seconds: Double) -> Void in
            try trace.write("S \(i) \(Trace.now)")
            try await Task.sleep(for: .seconds(seconds))
            try trace.write("E \(i) \(Trace.now)")
        }
    }
}
