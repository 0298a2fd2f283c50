// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Tasks that do not simply return: `fail`, `retry_then_ok`, `reject`, `ignore`.
struct Endings: TaskSet {
    init(_ app: Chard) {
        app.task(
            Namespace.name("fail"),
            parameters: [Parameter("message", default: "boom"), Parameter("kind", default: "ValueError")]
        ) { (message: JSON, kind: String) -> Void in
            throw PythonException.error(kind, message)
        }

        // As often as the caller wants: Python's has `max_retries=None`.
        var untiring = RetryPolicy.whenAsked
        untiring.maxRetries = .max
        app.task(
            Namespace.name("retry_then_ok"),
            parameters: [Parameter("times", default: 2), Parameter("countdown", default: 0.2)],
            options: TaskOptions(retry: untiring)
        ) { (context: TaskContext, times: Int, countdown: Double) in
            let retries = context.message.retries
            guard retries >= times else {
                throw Retry(after: .seconds(countdown), because: TaskError("RuntimeError", "not yet"))
            }
            return retries
        }

        app.task(Namespace.name("reject"), parameters: [Parameter("requeue", default: false)]) {
            (requeue: Bool) -> Void in
            throw Reject("rejected", requeue: requeue)
        }

        app.task(Namespace.name("ignore")) { () -> Void in
            throw Ignore()
        }
    }
}
