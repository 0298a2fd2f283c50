// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization
import TestServers
import Testing

@testable import ChardCommand

@Suite("A service manager is told how it goes", .timeLimit(.minutes(1)))
struct ServiceManagerTests {
    private final class Source: ProbeSource {
        let problem = Mutex<String?>(nil)
        func whyNotLive() async -> String? { problem.withLock { $0 } }
        func whyNotReady() async -> String? { nil }
        func metrics() async -> String { "" }
    }

    @Test("Lines arrive at a socket in the file system and at one that is a mere name", arguments: [false, true])
    func lines(isMereName: Bool) throws {
        let socket = try NotifySocket(isMereName: isMereName)
        let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": socket.name]))
        #expect(manager.watchdog == nil)
        manager.tell("READY=1", "STATUS=takes work")
        #expect(socket.next() == "READY=1\nSTATUS=takes work")
        #expect(socket.next() == nil)
    }

    @Test("Who has no socket, or one that nobody listens at, is not kept from anything")
    func nobody() {
        #expect(ServiceManager(environment: [:]) == nil)
        for nonsense in ["", "/", "@", "vsock:2:1"] {
            #expect(ServiceManager(environment: ["NOTIFY_SOCKET": nonsense]) == nil)
        }
        ServiceManager(environment: ["NOTIFY_SOCKET": "/nowhere/at/all"])?.tell("READY=1")
        ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "x", count: 200)])?.tell("READY=1")
    }

    @Test(
        "The watchdog's time is read, if it is this process's",
        arguments: [
            (["WATCHDOG_USEC": "30000000"], .seconds(30)), (["WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"], nil),
            (["WATCHDOG_USEC": "0"], nil), (["WATCHDOG_USEC": "x"], nil), ([:], nil),
        ] as [([String: String], Duration?)])
    func time(variables: [String: String], patience: Duration?) {
        let environment = variables.merging(["NOTIFY_SOCKET": "/run/notify"]) { $1 }
        #expect(ServiceManager(environment: environment)?.watchdog == patience)
    }

    @Test("Signs of life come while it lives, stop while it does not, and come again")
    func watchdog() async throws {
        let socket = try NotifySocket()
        let manager = ServiceManager(environment: ["NOTIFY_SOCKET": socket.name, "WATCHDOG_USEC": "90000"])
        let source = Source()
        let watchdog = try #require(Watchdog(source, for: manager))
        defer { watchdog.end() }
        try await eventually("there are signs of life") { socket.next() == "WATCHDOG=1" }
        source.problem.withLock { $0 = "the intake stands still\nfor 30 s" }
        try await eventually("the problem is told") {
            socket.next() == "STATUS=does not live: the intake stands still; for 30 s"
        }
        try await Task.sleep(for: .milliseconds(200))
        #expect(socket.next() == nil, "nothing else is said")
        source.problem.withLock { $0 = nil }
        try await eventually("it lives again") { socket.next() == "STATUS=lives again" }
        try await eventually("there are signs of life again") { socket.next() == "WATCHDOG=1" }
    }
}
