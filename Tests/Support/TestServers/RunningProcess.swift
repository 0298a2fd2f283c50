// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A child process: its id, signals for it, and the moment of its end.
final class RunningProcess: Sendable {
    private final class End: Sendable {
        let isOver = Mutex(false)
    }

    let id: Int32
    private let end = End()

    /// Starts a program found on the `PATH`, its output thrown away.
    init(_ program: String, _ arguments: [String]) throws {
        let process = Process(program, arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.terminationHandler = { [end] _ in end.isOver.withLock { $0 = true } }
        try process.run()
        id = process.processIdentifier
    }

    var hasExited: Bool { end.isOver.withLock { $0 } }

    func signal(_ number: Int32) {
        // A process that is gone and reaped must not be signalled: its id may be somebody else's.
        end.isOver.withLock { isOver in if !isOver { _ = kill(id, number) } }
    }

    /// Waits for the process's end.
    func exited() async throws {
        try await eventually("the process \(id) ends") { self.hasExited }
    }

    /// Runs a program to its end: its exit status, and what it printed but for the last line end.
    static func output(
        of program: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (status: Int32, text: String) {
        try await withCheckedThrowingContinuation { continuation in
            // On a thread of its own, because reading to the end blocks.
            Thread.detachNewThread {
                let process = Process(program, arguments)
                let pipe = Pipe()
                process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
                process.standardOutput = pipe
                process.standardError = pipe
                continuation.resume(
                    with: Result {
                        try process.run()
                        let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
                        process.waitUntilExit()
                        let text = String(decoding: bytes, as: UTF8.self)
                        return (process.terminationStatus, text.hasSuffix("\n") ? String(text.dropLast()) : text)
                    })
            }
        }
    }
}

extension Process {
    fileprivate convenience init(_ program: String, _ arguments: [String]) {
        self.init()
        executableURL = URL(fileURLWithPath: "/usr/bin/env")
        self.arguments = [program] + arguments
        standardInput = FileHandle.nullDevice
    }
}
