// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers

extension FaultRow {
    /// A worker is stopped, for a while or for good, or kept busy.
    static let stops = [
        FaultRow(
            "sigstop", "SIGSTOP for longer than the lease, then SIGCONT in the middle of a body", short: 2, long: 10,
            mayOverlap: true
        ) { rig in
            // A body that obeys its cancellation, and one that goes on for a second and returns something.
            let isStubborn = rig.round % 2 == 1
            let frozen = try await rig.worker()
            let id = try await rig.send(isStubborn ? "stubbornUnlessLost" : "sleep", isStubborn ? 18 : 30)
            let first = try await rig.started(id)
            try await rig.worker()
            frozen.signal(SIGSTOP)
            rig.expectRecovery(of: [id])
            try await rig.started(id, otherThan: first.pid)
            let woken = LedgerLine.now
            frozen.signal(SIGCONT)
            try await eventually("the frozen run ends") { rig.ledger.runs(of: id).first?.ending != nil }
            if !isStubborn {
                let end = rig.ledger.runs(of: id).first
                rig.expect(end?.ending == .cancelled, "the run of the worker that wakes up is cancelled")
                rig.expect(
                    (end?.end ?? 0) - woken <= 1, "that takes at most a second, not \((end?.end ?? 0) - woken) s")
            }
            try await rig.finished()
            let result = try await rig.broker.status(of: id)?.result
            rig.expect(result?.array?.first != .integer(Int(first.pid)), "the zombie's result is refused")
            rig.expect(frozen.status == nil, "the worker goes on")
            try await rig.expectService(isRecovery: false)
        },
        FaultRow(
            "suspend", "everything stopped for longer than the lease, as by a machine that sleeps; then a worker alone",
            short: 1, long: 10, mayOverlap: true
        ) { rig in
            let workers = [try await rig.worker(), try await rig.worker()]
            let id = try await rig.send("tidying", 40)
            try await rig.started(id)
            rig.signalAll(SIGSTOP)
            try await Task.sleep(for: .seconds(14))
            rig.expectRecovery(of: [id])
            rig.signalAll(SIGCONT)
            // Nobody knows what the others did meanwhile: the run ends, and the task goes to whoever comes first.
            try await eventually("it starts again", within: .seconds(40)) { rig.ledger.runs(of: id).count == 2 }
            let runs = rig.ledger.runs(of: id)
            rig.expect(runs[0].ending == .cancelled && runs[0].end <= runs[1].start, "by then the first run has ended")
            workers.first { $0.id == runs[1].pid }?.signal(SIGSTOP)
            rig.expectRecovery(of: [id])
            try await eventually("it starts again", within: .seconds(40)) { rig.ledger.runs(of: id).count == 3 }
            for worker in workers { worker.signal(SIGCONT) }
            try await rig.finished()
            try await rig.expectService(isRecovery: false)
        },
        FaultRow("spin", "bodies that compute for longer than the lease on every thread", short: 1, long: 5) { rig in
            try await rig.worker(["-c", "2"])
            var ids: [String] = []
            for _ in 0..<2 { ids.append(try await rig.send("spin", 18)) }
            for id in ids { try await rig.started(id) }
            // Would take what is given back.
            try await rig.worker()
            try await rig.finished()
            rig.expect(rig.ledger.again == 0, "the lease holds: no task runs twice")
        },
        FaultRow("sigterm", "SIGTERM at a random moment, with a second of grace", short: 8, long: 200) { rig in
            for _ in 0..<20 { try await rig.send("quick") }
            for number in 0..<20 { try await rig.send("sleep", Double(number) / 20) }
            for _ in 0..<4 { try await rig.send("sleep", 2.5) }
            let isPool = rig.round % 2 == 1
            let worker = try await rig.worker(["--grace", "1"] + (isPool ? ["--processes", "2"] : []), waits: false)
            let hasStarted = rig.round % 8 < 6
            if hasStarted {
                try await eventually("it works") { !rig.ledger.runs.isEmpty }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...1500)))
            } else {
                try await Task.sleep(for: .milliseconds(Int.random(in: 0...500)))
            }
            let asked = LedgerLine.now
            worker.signal(SIGTERM)
            let status = try await worker.finished(within: .seconds(20))
            let took = LedgerLine.now - asked
            // A second of grace, a second for the hand-back.
            rig.expect(took <= 2, "it ends a second after its grace, not \(took - 1) s")
            rig.expect(status == 0 || !hasStarted && status == -SIGTERM, "it ends well, not with \(status)")
            let held = try await rig.server.cli("KEYS", "chard:*:leased:*")
            rig.expect(held.isEmpty, "nothing is left to recover, not \(held)")
            try await rig.worker(["-c", "16"])
            try await rig.finished()
        },
        FaultRow(
            "sigquit", "SIGQUIT in mid-task, with another worker up, bodies that ignore it among them", short: 2,
            long: 40
        ) { rig in
            let isPool = rig.round % 2 == 1
            let worker = try await rig.worker(isPool ? ["--processes", "2"] : [])
            let ids = [
                try await rig.send("sleep", 3), try await rig.send("stubborn", 4), try await rig.send("spin", 4),
                try await rig.send("sleep", 3),
            ]
            var first: Set<Int32> = []
            for id in ids { first.insert(try await rig.started(id).pid) }
            try await rig.worker(["-c", "8"])
            let asked = LedgerLine.now
            worker.signal(SIGQUIT)
            let status = try await worker.finished(within: .seconds(10))
            let took = LedgerLine.now - asked
            rig.expect(status == 0 && took < 3, "it ends well and soon, not with \(status) after \(took) s")
            try await rig.finished()
            for id in ids {
                let result = try await rig.broker.status(of: id)?.result
                rig.expect(
                    result?.array?.last == 0, "a hand-back is not counted: \(String(describing: result))")
                rig.expect(!first.contains(rig.ledger.runs(of: id).last?.pid ?? 0), "it ran again elsewhere")
            }
        },
    ]
}
