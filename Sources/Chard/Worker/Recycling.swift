// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// When a process has done enough, or grown too large, and is to make room for a fresh one.
final class Recycling: Sendable {
    private let maximumTasks: Int?
    private let maximumMemory: Int?
    private let state = Mutex((isOver: false, lookedAt: ContinuousClock.now))

    init(_ options: WorkerOptions) {
        maximumTasks = options.maximumTasks
        maximumMemory = options.maximumMemory
    }

    /// Whether that is so; says yes once. The memory is looked at once a second at most.
    func isDue(done: Int) -> Bool {
        guard maximumTasks != nil || maximumMemory != nil else { return false }
        return state.withLock { state in
            guard !state.isOver else { return false }
            if let maximumTasks, done >= maximumTasks { state.isOver = true }
            if let maximumMemory, .now - state.lookedAt >= .seconds(1) {
                state.lookedAt = .now
                if Self.residentMemory > maximumMemory { state.isOver = true }
            }
            return state.isOver
        }
    }

    /// The process's resident memory in bytes; 0 where the system does not tell.
    static var residentMemory: Int {
        guard let statm = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else { return 0 }
        let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
