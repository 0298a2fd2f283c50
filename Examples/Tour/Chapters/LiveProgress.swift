// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A task that says how far it is.
struct LiveProgress: Chapter {
    let title = "Progress, pushed live"

    let code = """
        let catalogue = app.task("shop.catalogue") {
            (context: TaskContext, pages: Int) in
            for page in 1...pages {
                try await Task.sleep(for: .milliseconds(200))  // drawing a page
                try await context.progress(page, of: pages)
            }
            return pages
        }
        """

    func play(on stage: Stage) async throws {
        let start = ContinuousClock.now
        var updates = 0
        var pages = JSON.null
        for try await status in try await stage.shop.catalogue.enqueue(30).statuses() {
            if status.state == .progress {
                updates += 1
                if let done = status.result["current"]?.integer { Bar.draw(done, of: 30, "page", stage.tell) }
            } else if status.state.isReady {
                pages = status.result
                break
            }
        }
        stage.tell.endLive()
        stage.tell.result("\(pages) pages in \((ContinuousClock.now - start).text), told by \(updates) updates")
        try stage.check(pages == 30 && updates == 30, "30 pages and 30 updates")
    }
}
