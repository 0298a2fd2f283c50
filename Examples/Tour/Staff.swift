// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation

/// A worker in a process of its own.
final class Staff: Sendable {
    let node: String
    private let process: Process

    /// Starts this program again as a worker, and returns when it takes work.
    static func start(_ node: String, on file: String, _ broker: SQLiteBroker) async throws -> Staff {
        let staff = try Staff(node, on: file)
        let deadline = ContinuousClock.now + .seconds(20)
        while try await !broker.workers().contains(where: { $0.node == node }) {
            guard staff.isAlive, .now < deadline else { throw Surprise(expectation: "a worker \(node) within 20 s") }
            try await Task.sleep(for: .milliseconds(10))
        }
        return staff
    }

    private init(_ node: String, on file: String) throws {
        self.node = node
        process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = ["worker", file, node]
        try process.run()
    }

    deinit { kill() }

    var id: Int32 { process.processIdentifier }
    var isAlive: Bool { process.isRunning }

    /// SIGKILL: it has no time for anything.
    func kill() {
        if process.isRunning { _ = Foundation.kill(id, SIGKILL) }
    }

    /// SIGTERM: it takes no more, finishes what runs, hands back the rest, and ends.
    func stop() async throws {
        process.terminate()
        let deadline = ContinuousClock.now + .seconds(20)
        while process.isRunning {
            guard .now < deadline else { throw Surprise(expectation: "the end of \(node) within 20 s") }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
