// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Finding {
    /// What about the queues keeps tasks from running.
    static func queues(_ queues: [QueueReport], servedBy workers: [WorkerReport]) -> [Finding] {
        let served = Set(workers.flatMap(\.queues))
        let all = [
            damaged(queues), unread(queues), paused(queues), unserved(queues, served), dead(queues),
        ].compactMap(\.self)
        guard all.isEmpty else { return all }
        return [Finding(.fine, "queues", queues.isEmpty ? "none is known yet" : "\(queues.count), all in order")]
    }

    private static func damaged(_ queues: [QueueReport]) -> Finding? {
        let found = queues.filter { $0.trouble != nil }
        guard let first = found.first, let trouble = first.trouble else { return nil }
        return Finding(
            .danger, "queues", "\(names(found)): cannot be used: \(trouble)",
            advice:
                "a worker of the queue puts it aside; or look who has put something else into that key, and delete or rename it"
        )
    }

    private static func unread(_ queues: [QueueReport]) -> Finding? {
        let found = queues.flatMap(\.unread)
        guard !found.isEmpty else { return nil }
        let lists = found.prefix(20).map { "\($0.list.printable()) (\($0.count))" }.joined(separator: ", ")
        return Finding(
            .warning, "priorities", "messages wait where no worker of Chard's looks: \(lists)",
            advice:
                "a client has other priority_steps or another sep in its broker_transport_options: give all sides the same, "
                + "here as CHARD_PRIORITY_STEPS and CHARD_PRIORITY_SEPARATOR")
    }

    private static func paused(_ queues: [QueueReport]) -> Finding? {
        let found = queues.filter(\.isPaused)
        guard !found.isEmpty else { return nil }
        return Finding(
            .warning, "queues", "\(names(found)): paused, with \(found.reduce(0) { $0 + $1.waiting }) waiting",
            advice: "when it is time: resume \(found[0].queue)")
    }

    private static func unserved(_ queues: [QueueReport], _ served: Set<String>) -> Finding? {
        let found = queues.filter { $0.waiting + $0.delayed > 0 && !served.contains($0.queue) }
        guard !found.isEmpty else { return nil }
        let (waiting, delayed) = (found.reduce(0) { $0 + $1.waiting }, found.reduce(0) { $0 + $1.delayed })
        return Finding(
            .warning, "queues",
            "\(names(found)): served by no worker that is known here, with \(waiting) waiting and \(delayed) scheduled",
            advice:
                "start a worker with -Q \(found[0].queue); Python's workers are not known here, and move nothing that is scheduled"
        )
    }

    private static func dead(_ queues: [QueueReport]) -> Finding? {
        let found = queues.filter { $0.dead > 0 }
        guard !found.isEmpty else { return nil }
        return Finding(
            .warning, "dead letters", "\(found.reduce(0) { $0 + $1.dead }), from \(names(found))",
            advice: "see why: dead list; mend the cause, then requeue or drop them")
    }

    /// The names of queues; of many, some.
    private static func names(_ queues: [QueueReport]) -> String {
        let some = queues.prefix(5).map(\.queue).joined(separator: ", ")
        return queues.count > 5 ? "\(some) and \(queues.count - 5) more" : some
    }
}
