// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension RedisBroker: DiagnosableBroker {
    /// Looks at the server's version, eviction policy, persistence, memory and clock.
    public func diagnose() async throws -> [Finding] {
        let before = Date()
        let replies = try await translatingErrors { () throws(RedisError) in
            try await client.pipeline([RedisCommand("INFO"), RedisCommand("TIME")])
        }
        let middle = Date(timeIntervalSince1970: (before.timeIntervalSince1970 + Date().timeIntervalSince1970) / 2)
        let info = ServerInfo(try replies[0].get().text ?? "")
        var findings = [info.version, info.eviction, info.memory, info.persistence, info.role]
        if let parts = replies[1].array, let seconds = parts[0].text.flatMap(Double.init),
            let micros = parts[1].text.flatMap(Double.init)
        {
            findings.append(Self.clock(seconds + micros / 1e6 - middle.timeIntervalSince1970))
        }
        return findings
    }

    private static func clock(_ offset: Double) -> Finding {
        let text = "the server's clock differs by \(Int((offset * 1000).rounded())) ms from this machine's"
        guard abs(offset) > 1 else { return Finding(.fine, "clock", text) }
        return Finding(
            .warning, "clock", text,
            advice:
                "set both by NTP: a client reckons countdowns by its own clock, the server decides when they are over")
    }
}

/// What a server says of itself, judged.
struct ServerInfo {
    private var fields: [Substring: Substring] = [:]

    init(_ text: String) {
        // Redis ends lines with CR LF, which is one character in Swift.
        for line in text.split(whereSeparator: \.isNewline) {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { fields[parts[0]] = parts[1] }
        }
    }

    private func integer(_ field: Substring) -> Int { fields[field].flatMap { Int($0) } ?? 0 }

    var version: Finding {
        let text = String(fields["redis_version"] ?? "unknown")
        let numbers = text.split(separator: ".").compactMap { Int($0) }
        guard numbers.count >= 2, (numbers[0], numbers[1]) < (6, 2) else { return Finding(.fine, "version", text) }
        return Finding(
            .danger, "version", "\(text) does not know LMOVE, by which messages are claimed",
            advice: "use Redis 6.2 or later")
    }

    var eviction: Finding {
        let policy = String(fields["maxmemory_policy"] ?? "noeviction")
        guard policy != "noeviction" else { return Finding(.fine, "eviction", policy) }
        let what = policy.hasPrefix("allkeys") ? "queues" : "leases and results"
        return Finding(
            .danger, "eviction", "maxmemory-policy is \(policy): a server that runs full throws \(what) away",
            advice: "set maxmemory-policy noeviction")
    }

    var memory: Finding {
        let used = integer("used_memory")
        let limit = integer("maxmemory")
        guard limit > 0 else { return Finding(.fine, "memory", "\(used >> 20) MiB used, no limit set") }
        let text = "\(used >> 20) of \(limit >> 20) MiB used"
        guard used > limit / 10 * 8 else { return Finding(.fine, "memory", text) }
        return Finding(
            .warning, "memory", text,
            advice:
                "raise maxmemory, or keep results for a shorter time: a full server takes no tasks, nor results, so that "
                + "no worker can empty it")
    }

    var persistence: Finding {
        if integer("aof_enabled") == 1 {
            guard fields["aof_last_write_status"] != "err" else {
                return Finding(
                    .danger, "persistence", "the last write to the append-only file failed",
                    advice: "make room on the server's disk")
            }
            return Finding(.fine, "persistence", "append-only file")
        }
        return Finding(
            .warning, "persistence",
            "no append-only file: a server that crashes loses what came since its last snapshot",
            advice: "set appendonly yes")
    }

    var role: Finding {
        let role = String(fields["role"] ?? "master")
        guard role == "slave" else { return Finding(.fine, "role", role == "master" ? "primary" : role) }
        return Finding(.danger, "role", "this is a replica, which takes no tasks", advice: "name the primary's address")
    }
}
