// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The end of a worker, without the end of a task.
struct GracefulStop: Chapter {
    let title = "A graceful stop: what runs is finished, what waits is left to others"

    let code = """
        let photos = try await app.enqueue((1...12).map { try photo.signature($0) })
        worker.stop(.gracefully)  // as SIGTERM does
        """

    func play(on stage: Stage) async throws {
        let (app, worker) = (stage.shop.app, stage.staff.worker)
        let photos = try await app.enqueue((1...12).map { try stage.shop.photo.signature($0) })
        let deadline = ContinuousClock.now + .seconds(10)
        while worker.vitals.running.count < worker.options.concurrency {
            try stage.check(.now < deadline, "\(worker.options.concurrency) running tasks within 10 s")
            try await Task.sleep(for: .milliseconds(5))
        }
        worker.stop(.gracefully)
        try await stage.staff.ended()

        let queue = try await stage.broker.queues().first { $0.queue == "celery" }
        let (leased, waiting) = (queue?.leased ?? 0, queue?.waiting ?? 0)
        stage.tell.result(
            "it ended after \(worker.vitals.done.text) tasks, holds \(leased), and left \(waiting) waiting")
        try stage.check(leased == 0 && waiting == 4, "no leased and 4 waiting tasks")

        let second = try await Staff.start(app, options: WorkerOptions(node: "second@shop", drains: true))
        for (index, photo) in photos.enumerated() {
            let number = try await photo.value(timeout: .seconds(10))
            try stage.check(number == index + 1, "photo \(index + 1), not \(number)")
        }
        try await second.ended()
        stage.tell.result("a second worker ran these \(second.worker.vitals.done): all 12 photos are there")
    }
}
