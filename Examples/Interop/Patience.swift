// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Tasks that take their time, or much room: `sleepy`, `progress`, `big`.
struct Patience: TaskSet {
    init(_ app: Chard) {
        app.task(Namespace.name("sleepy"), parameters: ["seconds", "value"]) { (seconds: Double, value: JSON?) in
            try await sleep(seconds)
            return value
        }

        app.task(
            Namespace.name("progress"), parameters: [Parameter("steps", default: 3), Parameter("delay", default: 0.2)]
        ) { (context: TaskContext, steps: Int, delay: Double) in
            for step in stride(from: 1, through: steps, by: 1) {
                try await context.progress(step, of: steps)
                try await sleep(delay)
            }
            return steps
        }

        app.task(Namespace.name("big"), parameters: ["n"]) { (n: JSON) in
            try Python.multiply("x", n)
        }
    }
}

/// Python's `time.sleep`, but cancellable, and without keeping a thread.
func sleep(_ seconds: Double) async throws {
    guard seconds >= 0 else { throw TaskError("ValueError", "sleep length must be non-negative") }
    try await Task.sleep(for: .seconds(seconds))
}
