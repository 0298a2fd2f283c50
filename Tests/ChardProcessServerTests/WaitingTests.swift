// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@Suite("Programs that are started while their broker is away", .timeLimit(.minutes(2)))
struct WaitingTests {
    @Test(
        "a worker, one with processes and a beat wait for it, say so once, and take work when it is there",
        arguments: [["worker", "-c", "2"], ["worker", "-c", "2", "--processes", "2"], ["beat"]])
    func waiting(words: [String]) async throws {
        let port = try FreePort.find()
        let url = "redis://127.0.0.1:\(port)/0"
        let program = try Program("interop", words, environment: ["CHARD_BROKER_URL": url])
        try await program.says("away")
        try await Task.sleep(for: .seconds(2))
        #expect(program.talk.components(separatedBy: "the broker is away").count <= 4, "\(program.talk)")
        let server = try Program(
            "/bin/sh", ["-c", "exec redis-server --port \(port) --bind 127.0.0.1 --save '' --dir /tmp"])
        try await program.says("is ready")
        if words[0] == "worker" {
            let sum = try await CommandRun(
                Program(
                    "chard", ["send", "interop.add", "--args", "[1,2]", "--wait", "10"],
                    environment: ["CHARD_BROKER_URL": url]))
            #expect(sum.status == 0 && sum.output.contains("3"), "\(sum)")
        }
        program.signal(SIGTERM)
        #expect(try await program.finished() == 0, "\(program.talk)")
        withExtendedLifetime(server) {}
    }

    @Test("a worker that waits ends at once when it is told to")
    func stopping() async throws {
        let program = try Program(
            "interop", ["worker"], environment: ["CHARD_BROKER_URL": "redis://127.0.0.1:\(try FreePort.find())/0"])
        try await program.says("away")
        program.signal(SIGTERM)
        #expect(try await program.finished(within: .seconds(5)) == 0, "\(program.talk)")
    }

    @Test("how long it waits can be set; commands never wait", arguments: [["worker"], ["beat"]])
    func limits(words: [String]) async throws {
        let url = "redis://127.0.0.1:\(try FreePort.find())/0"
        let start = ContinuousClock.now
        let run = try await CommandRun(
            Program("interop", words + ["--startup-wait", "1"], environment: ["CHARD_BROKER_URL": url]))
        #expect(run.status == 4 && ContinuousClock.now - start >= .seconds(1), "\(run)")
        let command = try await CommandRun(Program("chard", ["queues"], environment: ["CHARD_BROKER_URL": url]))
        #expect(command.status == 4 && command.isOneLine, "\(command)")
    }
}
