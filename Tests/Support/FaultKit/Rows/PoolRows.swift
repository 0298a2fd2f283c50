// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers

extension FaultRow {
    /// What happens to the processes of a supervisor.
    static let pools = [
        FaultRow("kill-child", "SIGKILL a child of the pool", short: 1, long: 20, recovery: 2) { rig in
            try await rig.worker(["--processes", "2"])
            var ids: [String] = []
            for _ in 0..<8 { ids.append(try await rig.send("sleepUnlessLost", 8)) }
            var runs: [Ledger.Run] = []
            for id in ids { runs.append(try await rig.started(id)) }
            guard let victim = runs.first?.pid else { return }
            rig.expectRecovery(of: runs.filter { $0.pid == victim }.map(\.id))
            kill(victim, SIGKILL)
            try await rig.finished()
            for run in runs where run.pid != victim {
                rig.expect(rig.ledger.runs(of: run.id).count == 1, "the other process's tasks run once")
            }
        },
        FaultRow("kill-supervisor", "SIGKILL the supervisor", short: 1, long: 20) { rig in
            let supervisor = try await rig.worker(["--processes", "2"])
            let ids = [
                try await rig.send("sleepUnlessLost", 6), try await rig.send("sleep", 6), try await rig.send("spin", 3),
            ]
            var children: Set<Int32> = []
            for id in ids { children.insert(try await rig.started(id).pid) }
            try await rig.kill(supervisor)
            rig.expectRecovery(of: Array(ids.prefix(2)))
            try await rig.worker()
            try await eventually("the children end with it", within: .seconds(6)) {
                children.allSatisfy { kill($0, 0) != 0 }
            }
        },
    ]

    /// A task that crashes its process, among others.
    static let poison = FaultRow(
        "poison", "a task that crashes its process, among others", short: 1, long: 10, recovery: 3
    ) { rig in
        try await rig.worker(["--processes", "2"])
        let id = try await rig.send("crash")
        rig.mayFail([id])
        try await rig.streaming {
            try await eventually("it is put aside", within: .seconds(40)) {
                // The others keep being served all the while.
                try await rig.expectService()
                try await Task.sleep(for: .milliseconds(100))
                return try await rig.broker.deadLetter(id)?.reason == .workerLost
            }
        }
        try await rig.finished(within: .seconds(20))
        rig.expect(rig.ledger.runs(of: id).count == 3, "it ran three times, not \(rig.ledger.runs(of: id).count)")
    }

    /// A task that neither ends nor lets itself be cancelled.
    static let hardLimit = FaultRow(
        "hard-limit", "a task that ignores its cancellation, under a supervisor", short: 1, long: 10, recovery: 3
    ) { rig in
        try await rig.worker(["--processes", "2", "-c", "2"])
        var neighbours: [String] = []
        let id = try await rig.send("stubborn", 120, options: EnqueueOptions(timeLimit: .seconds(2)))
        rig.mayFail([id])
        for _ in 0..<3 { neighbours.append(try await rig.send("sleep", 5)) }
        let process = try await rig.started(id).pid
        try await eventually("it has failed", within: .seconds(10)) {
            try await rig.broker.status(of: id)?.exception?.type == "TimeLimitExceeded"
        }
        try await eventually("its process has ended", within: .seconds(10)) { kill(process, 0) != 0 }
        try await rig.expectService()
        try await rig.finished()
        for neighbour in neighbours {
            let result = try await rig.broker.status(of: neighbour)?.result
            rig.expect(
                result?.array?.last == 0, "a neighbour's hand-back is not counted: \(String(describing: result))")
        }
    }
}
