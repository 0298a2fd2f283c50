// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite

/// A task that is not to run yet.
struct Countdown: Chapter {
    let title = "A countdown"

    let code = """
        let call = try await water.enqueue("The chard", in: .seconds(5))
        let text = try await call.value(timeout: .seconds(10))
        """

    func play(on stage: Stage) async throws {
        stage.tell.say("It waits in the broker: no worker holds it, none can lose it.")
        let start = ContinuousClock.now
        let call = try await stage.shop.water.enqueue("The chard", in: .seconds(5))
        let queue = try await stage.broker.queues().first { $0.queue == "celery" }
        try stage.check(
            queue?.delayed == 1 && queue?.leased == 0, "one task that is scheduled and none that is leased")

        let clock = Task {
            while !Task.isCancelled {
                stage.tell.live("\((ContinuousClock.now - start).secondsText) of 5 s")
                try await Task.sleep(for: .milliseconds(50))
            }
        }
        let text = try await call.value(timeout: .seconds(10))
        let took = ContinuousClock.now - start
        clock.cancel()
        _ = await clock.result
        stage.tell.endLive()
        stage.tell.result("\(text), \(took.text) after the call")
        try stage.check(took >= .seconds(5), "a result after 5 s, not after \(took.text)")
    }
}
