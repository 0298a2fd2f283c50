// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// Runs a worker's steps on the event loop that its replies come on.
final class LoopExecutor: ControlExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) {
        self.loop = loop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }

    func sleep(until due: ContinuousClock.Instant) async throws {
        // The loop's clock stands still while the machine is suspended; the other one is asked at least every minute.
        while case let rest = due - .now, rest > .zero {
            let timer = loop.scheduleTask(in: TimeAmount(min(rest, .seconds(60)))) {}
            do {
                try await withTaskCancellationHandler {
                    try await timer.futureResult.get()
                } onCancel: {
                    timer.cancel()
                }
            } catch {
                throw CancellationError()
            }
        }
        try Task.checkCancellation()
    }
}
