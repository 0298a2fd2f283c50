// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The end of a worker in the middle of a task, and the task's return.
struct SuddenDeath: Ending {
    let title = "A worker is killed in mid-task, and the task comes back"

    let code = """
        let call = try await catalogue.enqueue(20)
        kill(worker, SIGKILL)  // at page 8
        """

    func play(on stage: Stage, with staff: Staff) async throws -> Staff {
        let call = try await stage.shop.catalogue.enqueue(20)
        var second: Staff?
        var killedAt: ContinuousClock.Instant?
        var back: Duration?
        var pages = JSON.null
        for try await status in try call.statuses() {
            if status.state.isReady {
                pages = status.result
                break
            }
            guard status.state == .progress, let page = status.result["current"]?.integer else { continue }
            Bar.draw(page, of: 20, "page", stage.tell)
            if page == 2, second == nil {
                // Somebody has to be there who can take over.
                second = try await stage.startWorker("second@shop")
            } else if page == 8, killedAt == nil {
                staff.kill()
                killedAt = .now
                stage.tell.endLive()
                stage.tell.failure("\(staff.node), pid \(staff.id), is killed at page 8: it can tell nobody")
            } else if page == 1, let killedAt {
                back = .now - killedAt
                stage.tell.result(
                    "page 1 again, on \(second?.node ?? "no one"), \(back?.text ?? "") after the end of the first")
            }
        }
        stage.tell.endLive()
        stage.tell.result("\(pages) pages, the task is done; its loss is counted, after three it would be put aside")
        stage.tell.note(
            "On one machine an end is seen at once. On Redis, where nobody sees it, a lease of 12 s lapses.")
        guard let second, let back else { throw Surprise(expectation: "a second run") }
        try stage.check(pages == 20 && back < .seconds(20), "20 pages, and a second run within 20 s, not \(back.text)")
        return second
    }
}
