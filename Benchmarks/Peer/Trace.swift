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

/// What the worker's tasks leave behind for the harness: lines in `<directory>/trace.<pid>`.
final class Trace: Sendable {
    private let path: String
    private let descriptor = Mutex<Int32?>(nil)
    private let hasStarted = Atomic(false)

    /// Names the file; it is made with the first line.
    init(directory: String) {
        path = "\(directory)/trace.\(ProcessInfo.processInfo.processIdentifier)"
    }

    /// Writes the line `F <time>`, the first time only.
    func first() throws {
        if hasStarted.load(ordering: .relaxed) { return }
        if !hasStarted.exchange(true, ordering: .relaxed) { try write("F \(Self.now)") }
    }

    /// Appends a line with one write, so that lines of several threads do not mix.
    func write(_ line: String) throws {
        let descriptor = try descriptor.withLock { descriptor in
            if let descriptor { return descriptor }
            let opened = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard opened >= 0 else { throw TraceError(path: path, number: errno) }
            descriptor = opened
            return opened
        }
        guard writeLine(line, to: descriptor) else { throw TraceError(path: path, number: errno) }
    }

    /// Seconds since 1970.
    static var now: Double { Date().timeIntervalSince1970 }
}

/// The trace cannot be written.
struct TraceError: Error, CustomStringConvertible {
    let path: String
    let number: Int32
    var description: String { "\(path): \(String(cString: strerror(number)))" }
}
