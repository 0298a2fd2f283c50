// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Operator {
    /// What a worker says of a task that no worker of Chard's has: Python's hold theirs in memory, and can only be asked. `nil` where none
    /// of them has it, or answers in time.
    func explain(heldElsewhere id: String) async -> Explanation? {
        guard (try? app.broker)?.power(.mailbox) != nil,
            let replies = try? await remote.ask("query_task", ["ids": [.string(id)]])
        else { return nil }
        for reply in replies {
            guard let found = reply.answer[id], let state = found[0]?.string else { continue }
            guard state == "active" else {
                return Explanation(
                    "held",
                    "\(reply.node) has taken it, and has yet to start it: it waits there for its time, or for its turn")
            }
            let since = found[1]?["time_start"]?.number.map { time in
                let seconds = max(0, app.settings.now().timeIntervalSince1970 - time)
                return ", since \((Duration(untrusted: seconds) ?? .zero).wording)"
            }
            return Explanation("running", "it runs on \(reply.node)\(since ?? "")")
        }
        return nil
    }
}
