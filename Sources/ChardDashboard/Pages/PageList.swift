// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Page {
    /// All pages that there are. The menu, the routes and the description of the API go by it.
    static let all: [Page] = [
        .overview,
        .queues, .queue, .purging,
        .tasks, .task,
        .delayed,
        .dead, .letter,
        .dryRun, .batch,
        .schedules, .schedule,
        .workers, .worker,
        .workflows, .workflow,
        .broker,
    ]
}
