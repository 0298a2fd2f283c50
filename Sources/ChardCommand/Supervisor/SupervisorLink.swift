// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A child's ends of the two pipes that tie it to its supervisor.
struct SupervisorLink: Sendable {
    /// The ends, if this process was started by a supervisor.
    init?(environment: [String: String]) {
        guard environment[ChildProcess.variable] != nil, fcntl(ChildProcess.lifelineEnd, F_GETFD) >= 0 else {
            return nil
        }
        // They are this process's alone: a program that a task starts must neither keep them nor take them for its own.
        for end in [ChildProcess.lifelineEnd, ChildProcess.reportsEnd] { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        unsetenv(ChildProcess.variable)
    }

    /// Calls `action` once the supervisor is gone. Waits on a thread of its own.
    func onSupervisorsEnd(_ action: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "chard.supervisor-link").async {
            var byte: UInt8 = 0
            while true {
                let count = read(ChildProcess.lifelineEnd, &byte, 1)
                if count == 0 || (count < 0 && errno != EINTR) { break }
            }
            action()
        }
    }

    /// Tells the supervisor under which identity messages are held from now on.
    func report(identity: String) {
        report("identity \(identity)")
    }

    /// Tells the supervisor that work is being taken.
    func reportReady() {
        report("ready")
    }

    /// Tells the supervisor that this process ends because a task goes on after its hard time limit.
    func reportOverrun() {
        report("overrun")
    }

    /// Tells the supervisor that this process ends because remote control says so, and is not to be replaced.
    func reportShutdown() {
        report("shutdown")
    }

    /// Tells the supervisor how this process does, as a line of JSON.
    func report(figures: [UInt8]) {
        report(Array("figures ".utf8) + figures)
    }

    private func report(_ line: String) {
        report(Array(line.utf8))
    }

    /// One line after the other: a long one is written in pieces.
    private static let turn = Mutex(())

    private func report(_ line: [UInt8]) {
        let bytes = line + [UInt8(ascii: "\n")]
        Self.turn.withLock { _ in
            var start = 0
            while start < bytes.count {
                let count = bytes[start...].withUnsafeBytes {
                    write(ChildProcess.reportsEnd, $0.baseAddress, $0.count)
                }
                // A supervisor that is gone is noticed on the lifeline.
                guard count > 0 || errno == EINTR else { return }
                start += max(0, count)
            }
        }
    }
}
