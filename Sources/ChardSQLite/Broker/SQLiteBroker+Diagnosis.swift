// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

extension SQLiteBroker: DiagnosableBroker {
    /// Looks at the file, what it is on, and what its writes wait for.
    public func diagnose() async throws -> [Finding] {
        let path = engine.location.path
        let found = try await engine.read { db in
            (
                version: try String.fetchOne(db, sql: "SELECT sqlite_version()") ?? "unknown",
                trouble: try Self.trouble(db, size: SystemFile(path).size)
            )
        }
        return [
            Finding(.fine, "version", "SQLite \(found.version)"),
            Finding.system(FileSystem(of: engine.location.folder)),
            Finding.synchronous(settings.synchronous), Finding.integrity(found.trouble),
            Finding.room(SystemFile.room(in: engine.location.folder)),
            Finding.log(SystemFile(engine.location.log).size, of: SystemFile(path).size),
        ]
    }

    /// What SQLite's own check finds; `nil` where the file is so large that it would take long.
    private static func trouble(_ db: Database, size: Int) throws -> [String]? {
        guard size < 1 << 28 else { return nil }
        return try String.fetchAll(db, sql: "PRAGMA quick_check(5)").filter { $0 != "ok" }
    }
}

extension Finding {
    static func system(_ system: FileSystem?) -> Finding {
        guard let system else { return Finding(.fine, "file system", "unknown") }
        guard let network = system.networkName else { return Finding(.fine, "file system", system.type) }
        return Finding(
            .danger, "file system", "\(network) is a network file system, where SQLite's locks cannot be relied on",
            advice: "put the file on a disk of this machine; for several machines use Redis")
    }

    static func synchronous(_ synchronous: SQLiteSettings.Synchronous) -> Finding {
        switch synchronous {
        case .full: Finding(.fine, "durability", "what is sent or settled is on the disk before the call returns")
        case .normal:
            Finding(
                .warning, "durability", "synchronous=normal: a power failure may lose what was sent a moment before",
                advice: "leave it out where that matters")
        }
    }

    static func integrity(_ trouble: [String]?) -> Finding {
        switch trouble {
        case nil: Finding(.fine, "integrity", "not checked: the file is large; sqlite3's PRAGMA quick_check does it")
        case .some(let trouble) where trouble.isEmpty: Finding(.fine, "integrity", "ok")
        case .some(let trouble):
            Finding(
                .danger, "integrity", trouble.joined(separator: "; "),
                advice: "stop all programs, and save what is left with sqlite3's .recover")
        }
    }

    /// - Parameter bytes: How much this user may still write there, if the system tells.
    static func room(_ bytes: Int?) -> Finding {
        guard let bytes else { return Finding(.fine, "room", "unknown") }
        let text = bytes < 10 << 20 ? "\(bytes >> 10) KiB free on the disk" : "\(bytes >> 20) MiB free on the disk"
        if bytes < 1 << 20 {
            return Finding(
                .danger, "room", "\(text): nothing can be sent or settled, and leases are lost", advice: "make room")
        }
        guard bytes < 64 << 20 else { return Finding(.fine, "room", text) }
        return Finding(.warning, "room", text, advice: "make room: the write-ahead log alone may take 10 MiB")
    }

    static func log(_ size: Int, of file: Int) -> Finding {
        let text = "\(file >> 10) KiB, and \(size >> 10) KiB in the write-ahead log"
        guard size > 256 << 20 else { return Finding(.fine, "size", text) }
        return Finding(
            .warning, "size", text,
            advice: "a program that keeps a reading transaction open keeps the log from being used again; end it")
    }
}
