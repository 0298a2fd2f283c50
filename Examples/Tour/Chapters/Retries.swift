// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A task that fails at first, and is run again.
struct Retries: Chapter {
    let title = "Retries with exponential backoff"

    let code = """
        let policy = RetryPolicy.exponential(
            maxRetries: 5, initialDelay: .milliseconds(500), jitter: false)
        let charge = app.task("shop.charge", options: TaskOptions(retry: policy)) {
            (context: TaskContext, cents: Int) in
            try await context.dependencies.get(Bank.self).charge(cents)
        }

        for try await status in try await charge.enqueue(747).statuses() { … }
        """

    func play(on stage: Stage) async throws {
        stage.tell.say("The bank is busy for three calls. Each status is pushed to us, nobody polls:")
        let start = ContinuousClock.now
        let call = try await stage.shop.charge.enqueue(747)
        var retries = 0
        for try await status in try call.statuses() {
            let since = (ContinuousClock.now - start).secondsText
            if let error = status.error {
                retries += 1
                stage.tell.failure("\(since) \(status.state): \(error)")
            } else {
                stage.tell.result("\(since) \(status.state): \(status.result)")
            }
            if status.state.isReady { break }
        }
        try stage.check(retries == 3, "three retries, not \(retries)")
    }
}
