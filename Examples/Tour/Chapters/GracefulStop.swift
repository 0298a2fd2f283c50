// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite

/// The end of a worker, without the end of a task.
struct GracefulStop: Ending {
    let title = "A graceful stop: what runs is finished, what waits is left to others"

    let code = """
        let photos = try await app.enqueue((1...12).map { try photo.signature($0) })
        kill(worker, SIGTERM)
        """

    func play(on stage: Stage, with staff: Staff) async throws -> Staff {
        let photos = try await stage.shop.app.enqueue((1...12).map { try stage.shop.photo.signature($0) })
        let deadline = ContinuousClock.now + .seconds(10)
        while try await queue(of: stage)?.leased ?? 0 < TourWorker.concurrency {
            try stage.check(.now < deadline, "\(TourWorker.concurrency) tasks taken within 10 s")
            try await Task.sleep(for: .milliseconds(5))
        }
        try await Task.sleep(for: .milliseconds(50))
        try await staff.stop()

        let left = try await queue(of: stage)
        let (leased, waiting) = (left?.leased ?? 0, left?.waiting ?? 0)
        stage.tell.result("it has ended, holds \(leased) tasks, and left \(waiting) of the 12 waiting")
        try stage.check(leased == 0 && waiting == 4, "no leased and 4 waiting tasks")

        let third = try await stage.startWorker("third@shop")
        for (index, photo) in photos.enumerated() {
            let number = try await photo.value(timeout: .seconds(10))
            try stage.check(number == index + 1, "photo \(index + 1), not \(number)")
        }
        stage.tell.result("a third worker ran these \(waiting): all 12 photos are there")
        return third
    }

    private func queue(of stage: Stage) async throws -> QueueReport? {
        try await stage.broker.queues().first { $0.queue == "celery" }
    }
}
