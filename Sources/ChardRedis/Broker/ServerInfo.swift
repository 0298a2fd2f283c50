// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What a server says of itself, judged.
struct ServerInfo {
    private var fields: [String: String] = [:]

    /// What is judged, of some two hundred fields.
    private static let judged = [
        "redis_version", "maxmemory_policy", "used_memory", "maxmemory", "rdb_last_bgsave_status", "aof_enabled",
        "aof_last_write_status", "role", "min_slaves_good_slaves", "connected_clients", "maxclients",
        "rejected_connections",
    ].map { Array("\($0):".utf8) }

    /// Reads the reply to INFO, five kilobytes: by bytes, since each worker does at its start.
    init(_ text: String) {
        let bytes = Array(text.utf8)
        var start = 0
        while start < bytes.count {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\r"), bytes[end] != UInt8(ascii: "\n") { end += 1 }
            let line = bytes[start..<end]
            if let name = Self.judged.first(where: { line.starts(with: $0) }) {
                fields[String(decoding: name.dropLast(), as: UTF8.self)] = String(
                    decoding: line.dropFirst(name.count), as: UTF8.self)
            }
            start = end + 1
        }
    }

    /// All that is judged.
    var findings: [Finding] {
        [version, eviction, memory, persistence, role, connections].compactMap(\.self)
    }

    private func integer(_ field: String) -> Int { fields[field].flatMap { Int($0) } ?? 0 }

    var version: Finding {
        let text = fields["redis_version"] ?? "unknown"
        let numbers = text.split(separator: ".").compactMap { Int($0) }
        guard numbers.count >= 2, (numbers[0], numbers[1]) < (6, 2) else { return Finding(.fine, "version", text) }
        return Finding(
            .danger, "version", "\(text) does not know LMOVE, by which messages are claimed",
            advice: "use Redis 6.2 or later")
    }

    private var policy: String { fields["maxmemory_policy"] ?? "noeviction" }

    var eviction: Finding {
        guard policy != "noeviction" else { return Finding(.fine, "eviction", policy) }
        let what = policy.hasPrefix("allkeys") ? "queues" : "leases and results"
        return Finding(
            .danger, "eviction", "maxmemory-policy is \(policy): a server that runs full throws \(what) away",
            advice: "set maxmemory-policy noeviction")
    }

    var memory: Finding {
        let used = integer("used_memory")
        let limit = integer("maxmemory")
        guard limit > 0 else { return Finding(.fine, "memory", "\(Self.size(used)) used, no limit set") }
        let text = "\(Self.size(used)) of \(Self.size(limit)) used"
        if used >= limit, policy == "noeviction" {
            return Finding(
                .danger, "memory",
                "\(text): the server refuses what is sent, and results that are larger than their messages; workers go on "
                    + "emptying the queues",
                advice:
                    "raise maxmemory, or make room: purge a queue, drop dead letters, keep results for a shorter time")
        }
        guard used > limit / 10 * 8 else { return Finding(.fine, "memory", text) }
        return Finding(
            .warning, "memory", text,
            advice:
                "raise maxmemory, or keep results for a shorter time: a full server takes no tasks, nor results that are "
                + "larger than their messages")
    }

    private static func size(_ bytes: Int) -> String {
        bytes < 10 << 20 ? "\(bytes >> 10) KiB" : "\(bytes >> 20) MiB"
    }

    var persistence: Finding {
        if fields["rdb_last_bgsave_status"] == "err" {
            return Finding(
                .danger, "persistence",
                "the last snapshot failed: unless stop-writes-on-bgsave-error is no, the server takes no writes",
                advice: "look after the server's disk, then BGSAVE")
        }
        guard integer("aof_enabled") == 1 else {
            return Finding(
                .warning, "persistence",
                "no append-only file: a server that crashes loses what came since its last snapshot",
                advice: "set appendonly yes")
        }
        guard fields["aof_last_write_status"] != "err" else {
            return Finding(
                .danger, "persistence", "the last write to the append-only file failed",
                advice: "make room on the server's disk")
        }
        return Finding(.fine, "persistence", "append-only file")
    }

    /// Judges the setting `appendfsync`.
    func syncing(_ fsync: String) -> Finding? {
        guard integer("aof_enabled") == 1 else { return nil }
        guard fsync == "no" else { return Finding(.fine, "appendfsync", fsync) }
        return Finding(
            .warning, "appendfsync",
            "no: a machine that crashes loses what the system had not written yet, half a minute or more",
            advice: "set appendfsync everysec, or always")
    }

    var role: Finding {
        let role = fields["role"] ?? "master"
        guard role == "slave" else { return Finding(.fine, "role", role == "master" ? "primary" : role) }
        return Finding(.danger, "role", "this is a replica, which takes no tasks", advice: "name the primary's address")
    }

    /// Judges the setting `min-replicas-to-write`.
    func missingReplicas(of replicas: Int) -> Finding? {
        guard replicas > 0, case let there = integer("min_slaves_good_slaves"), there < replicas else { return nil }
        return Finding(
            .danger, "replicas", "\(there) are there of the \(replicas) without which the server takes no writes",
            advice: "start the replicas, or set min-replicas-to-write to fewer")
    }

    var connections: Finding? {
        let (present, most, refused) = (
            integer("connected_clients"), integer("maxclients"), integer("rejected_connections")
        )
        guard most > 0 else { return nil }
        let text =
            "\(present) of at most \(most)"
            + (refused > 0 ? ", and \(refused) were refused since the server's start" : "")
        guard refused > 0 || present > most / 10 * 8 else { return Finding(.fine, "connections", text) }
        return Finding(
            .warning, "connections", text,
            advice: "raise maxclients: a worker without a connection for one of its queues does not serve it")
    }
}
