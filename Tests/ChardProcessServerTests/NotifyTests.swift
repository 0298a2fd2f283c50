// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import Foundation
import TestServers
import Testing

@Suite("What programs tell a service manager such as systemd", .timeLimit(.minutes(2)))
struct NotifyTests {
    @Test(
        "ready, signs of life, and the end: of a worker, of a supervisor for all of its processes, and of a beat",
        arguments: [["worker", "-c", "2"], ["worker", "--processes", "2"], ["beat"]])
    func tells(words: [String]) async throws {
        try await ProcessBench.with { bench in
            let socket = try NotifySocket()
            let program = try Program(
                "interop", words,
                environment: [
                    "CHARD_BROKER_URL": bench.server.url, "NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "600000",
                ])
            var told: [String] = []
            func hears(_ line: String) -> Bool {
                while let next = socket.next() { told += next.split(separator: "\n").map(String.init) }
                return told.contains(line)
            }
            try await eventually("it is ready: \(program.talk)") { hears("READY=1") }
            told = []
            try await eventually("there are signs of life") { hears("WATCHDOG=1") }
            #expect(!told.contains("READY=1"), "the processes of a supervisor do not speak for themselves")
            told = []
            program.signal(15)
            #expect(try await program.finished() == 0)
            #expect(hears("STOPPING=1"), "\(told)")
        }
    }

    @Test("a worker whose processes stand still gives no more signs of life, and says why")
    func stuck() async throws {
        try await ProcessBench.with { bench in
            let socket = try NotifySocket()
            let program = try Program(
                "interop", ["worker", "--processes", "2"],
                environment: [
                    "CHARD_BROKER_URL": bench.server.url, "NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "600000",
                ])
            try await eventually("it is ready") { socket.next()?.hasPrefix("READY=1") == true }
            let workers = try await bench.broker.workers().map { Int32($0.pid) }
            let worker = try #require(workers.first)
            kill(worker, SIGSTOP)
            try await eventually("what is wrong is told", within: .seconds(40)) {
                socket.next()?.hasPrefix("STATUS=does not live: process ") == true
            }
            // Five times as long as it takes from one sign of life to the next.
            try await Task.sleep(for: .seconds(1))
            while let next = socket.next() { #expect(next.hasPrefix("STATUS=does not live: ")) }
            kill(worker, SIGCONT)
            try await eventually("it lives again") { socket.next() == "STATUS=lives again" }
            program.signal(15)
            #expect(try await program.finished() == 0)
        }
    }
}
