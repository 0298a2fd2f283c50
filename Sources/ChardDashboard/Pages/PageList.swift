// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Page {
    /// All pages that there are. The menu, the routes and the description of the API go by it.
    static let all: [Page] = [
        .overview,
        .queues, .queue, .purging,
        .schedules, .schedule,
        .workers, .worker,
        .workflows, .workflow,
        .broker,
    ]
}
