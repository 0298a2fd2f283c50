// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension WorkflowReport {
    /// The same where the steps of a flow know which ones they wait for, and since when they could have begun.
    func connected(by map: FlowMap) -> WorkflowReport {
        let ids = Dictionary(map.steps.map { ($0.name, $0.id) }) { first, _ in first }
        let before = Dictionary(map.steps.map { ($0.id, $0.waitsFor.compactMap { ids[$0] }) }) { first, _ in first }
        let ends = Dictionary(tasks.map { ($0.id, $0.endedAt) }) { first, _ in first }
        var report = self
        report.nodes = nodes.map { node in
            guard case .group(let group, let members) = node else { return node }
            return .group(
                id: group,
                members: members.map { member in
                    member.map { node in
                        guard case .task(var task) = node, let after = before[task.id], !after.isEmpty else {
                            return node
                        }
                        task.after = after
                        // What runs says by itself since when.
                        let known = after.compactMap { ends[$0] ?? nil }
                        if task.state != .running { task.since = known.count == after.count ? known.max() : nil }
                        return .task(task)
                    }
                })
        }
        return report
    }
}
