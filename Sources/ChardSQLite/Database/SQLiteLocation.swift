// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Where a file is, and how it is to be written: what a `sqlite://` URL says.
public struct SQLiteLocation: Sendable, Hashable, CustomStringConvertible {
    /// The file; a relative path begins at the working directory.
    public let path: String
    /// What `?synchronous=` asks for.
    public let synchronous: SQLiteSettings.Synchronous?

    /// The file at `path`.
    public init(path: String) {
        self.path = path
        synchronous = nil
    }

    /// Reads `sqlite:///relative.db` or `sqlite:////absolute.db`, with `?synchronous=full` or `normal` behind it.
    public init(_ url: String) throws(BrokerError) {
        let scheme = "sqlite://"
        guard url.lowercased().hasPrefix(scheme) else {
            throw BrokerError(.misconfigured, "the URL does not start with sqlite:///")
        }
        let parts = url.dropFirst(scheme.count).split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, first.hasPrefix("/") else {
            throw BrokerError(
                .misconfigured,
                "a SQLite URL has three slashes before a relative path and four before an absolute one: "
                    + "sqlite:///tasks.db, sqlite:////var/lib/tasks.db")
        }
        path = String(first.dropFirst())
        guard !path.isEmpty, !path.hasSuffix("/") else {
            throw BrokerError(.misconfigured, "\(url) names no file; write sqlite:///tasks.db for instance")
        }
        guard path != ":memory:" else {
            throw BrokerError(.misconfigured, "\(url) would be a database of this connection alone; use memory://")
        }
        guard parts.count == 2 else {
            synchronous = nil
            return
        }
        let option = parts[1].split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard option.count == 2, option[0] == "synchronous",
            let value = SQLiteSettings.Synchronous(rawValue: option[1].lowercased())
        else {
            throw BrokerError(
                .misconfigured,
                "unknown option ?\(parts[1]) in \(url); there is synchronous=full and synchronous=normal")
        }
        synchronous = value
    }

    /// The location as a URL.
    public var description: String { "sqlite:///" + path }

    /// The folder that the file is in.
    var folder: String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// SQLite's log of what is not yet in the file itself.
    var log: String { path + "-wal" }

    /// The file beside it by which processes tell each other of changes, and of their own end.
    var bell: String { path + "-bell" }
}
