// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardRedis

@Suite("What a server says of itself")
struct ServerInfoTests {
    private func info(_ lines: String...) -> ServerInfo { ServerInfo(lines.joined(separator: "\r\n")) }

    @Test(
        "an eviction policy that drops keys is a danger",
        arguments: [("noeviction", Finding.Severity.fine), ("allkeys-lru", .danger), ("volatile-ttl", .danger)])
    func eviction(policy: String, severity: Finding.Severity) {
        #expect(info("# Memory", "maxmemory_policy:\(policy)", "used_memory:1").eviction.severity == severity)
    }

    @Test(
        "a server without LMOVE is a danger",
        arguments: [("6.0.16", Finding.Severity.danger), ("6.2.0", .fine), ("7.0.15", .fine), ("5.0.3", .danger)])
    func version(version: String, severity: Finding.Severity) {
        #expect(info("redis_version:\(version)").version.severity == severity)
    }

    @Test("no append-only file is a warning, one that cannot be written a danger")
    func persistence() {
        #expect(info("aof_enabled:0").persistence.severity == .warning)
        #expect(info("aof_enabled:1", "aof_last_write_status:ok").persistence.severity == .fine)
        #expect(info("aof_enabled:1", "aof_last_write_status:err").persistence.severity == .danger)
    }

    @Test("a replica is a danger, a server that is nearly full a warning")
    func roleAndMemory() {
        #expect(info("role:slave").role.severity == .danger)
        #expect(info("role:master").role.severity == .fine)
        #expect(info("used_memory:90", "maxmemory:100").memory.severity == .warning)
        #expect(info("used_memory:10", "maxmemory:100").memory.severity == .fine)
    }
}
