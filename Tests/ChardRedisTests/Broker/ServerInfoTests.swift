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

    @Test("lines end as they like, and a value may have colons in it", arguments: ["\r\n", "\n", "\n\r\n"])
    func lines(end: String) {
        let lines = ["# Server", "redis_version:7.2.0:rc1", "", "role:slave", "no field"]
        let info = ServerInfo(lines.joined(separator: end))
        #expect(info.version.text == "7.2.0:rc1")
        #expect(info.role.severity == .danger)
    }

    @Test("a replica is a danger, a server that is nearly full a warning")
    func roleAndMemory() {
        #expect(info("role:slave").role.severity == .danger)
        #expect(info("role:master").role.severity == .fine)
        #expect(info("used_memory:90", "maxmemory:100").memory.severity == .warning)
        #expect(info("used_memory:10", "maxmemory:100").memory.severity == .fine)
    }

    @Test("a full server that evicts nothing is a danger")
    func full() {
        #expect(info("used_memory:100", "maxmemory:100", "maxmemory_policy:noeviction").memory.severity == .danger)
        #expect(info("used_memory:100", "maxmemory:100", "maxmemory_policy:allkeys-lru").memory.severity == .warning)
    }

    @Test("a file that is not synced, and too few replicas, are said")
    func settings() {
        #expect(info("aof_enabled:1").syncing("no")?.severity == .warning)
        #expect(info("aof_enabled:1").syncing("everysec")?.severity == .fine)
        #expect(info("aof_enabled:0").syncing("no") == nil)
        #expect(info("min_slaves_good_slaves:0").missingReplicas(of: 1)?.severity == .danger)
        #expect(info("min_slaves_good_slaves:1").missingReplicas(of: 1) == nil)
        #expect(info("role:master").missingReplicas(of: 0) == nil)
    }

    @Test("refused connections are said, and that there will be some soon")
    func connections() {
        #expect(info("connected_clients:5", "maxclients:100").connections?.severity == .fine)
        #expect(info("connected_clients:90", "maxclients:100").connections?.severity == .warning)
        let refused = info("connected_clients:5", "maxclients:100", "rejected_connections:3").connections
        #expect(refused?.severity == .warning && refused?.text.contains("3 were refused") == true)
    }
}
