// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a worker says of itself before it starts.
struct Banner {
    let text: String

    private static let leaf = [
        #"     _/|"#,
        #"   _/ .|"#,
        #"  / \/ |"#,
        #"  \ / /"#,
        #"   |_/"#,
        #"   |"#,
    ]

    init(_ worker: Worker, _ session: Session, processes: Int = 1) throws {
        let broker = try session.app.broker
        let results = try session.app.results
        var place = broker.location
        if session.usesDefaultBroker { place += " (default; --broker or CHARD_BROKER_URL names another)" }
        if broker.isInMemory { place += " (only what this process itself sends arrives)" }
        var listing = Listing()
        listing.add("broker", place)
        if results.location != broker.location { listing.add("results", results.location) }
        listing.add("queues", worker.queues.joined(separator: ", "))
        listing.add(
            "concurrency",
            processes == 1
                ? "\(worker.options.concurrency)" : "\(worker.options.concurrency) in each of \(processes) processes")
        for (index, task) in session.app.tasks.enumerated() {
            listing.add(index == 0 ? "tasks" : "", "\(task.name)(\(task.signature.joined(separator: ", ")))")
        }
        let lines =
            ["\(worker.node.printable()), a Chard worker", ""] + listing.text.split(separator: "\n").map(String.init)
        let width = 12
        text = (0..<max(lines.count, Self.leaf.count)).map { index in
            let leaf = index < Self.leaf.count ? Self.leaf[index] : ""
            guard index < lines.count, !lines[index].isEmpty else { return leaf }
            return leaf + String(repeating: " ", count: width - leaf.count) + lines[index]
        }.joined(separator: "\n")
    }
}
