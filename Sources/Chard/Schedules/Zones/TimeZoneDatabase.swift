// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The system's time zone database, read as it is needed and again when it is replaced: a program that runs for years
/// follows the parliaments.
public final class TimeZoneDatabase: Sendable {
    /// The system's, from `TZDIR` or the usual places.
    public static let system = TimeZoneDatabase(
        directories: (ProcessInfo.processInfo.environment["TZDIR"].map { [$0] } ?? [])
            + ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/var/db/timezone/zoneinfo"])

    private struct Entry {
        var stamp: Stamp
        var rules: TimeZoneRules
    }

    /// What tells a file from the one that replaces it.
    private struct Stamp: Equatable {
        var directory: String
        var device: UInt64
        var inode: UInt64
        var size: Int64
        /// When it was changed last, as the system writes it: the members of its `timespec` are in another module on each
        /// system, and it is compared only.
        var modified: [UInt8]
    }

    private let directories: [String]
    private let entries = Mutex<[String: Entry]>([:])

    /// Looks into these directories, the first one that has a zone decides.
    public init(directories: [String]) {
        self.directories = directories
    }

    /// The rules of a zone, as the database has them now. `UTC` needs none.
    ///
    /// While a file is away, or half written, what it said before goes on.
    /// - Throws: ``ScheduleError`` with the nearest names if there is no such zone, or with the package to install if
    ///   there is no database.
    public func rules(named name: String) throws(ScheduleError) -> TimeZoneRules {
        if name == "UTC" { return .utc }
        let known = entries.withLock { $0[name] }
        guard Self.isName(name), let stamp = stamp(of: name) else {
            if let known { return known.rules }
            throw unknown(name)
        }
        if let known, known.stamp == stamp { return known.rules }
        let bytes = FileManager.default.contents(atPath: stamp.directory + "/" + name).map { [UInt8]($0) }
        guard let rules = bytes.flatMap({ TimeZoneFile.rules(named: name, $0) }) else {
            if let known { return known.rules }
            throw ScheduleError(
                .damagedZone, "\(stamp.directory)/\(name) is no time zone file that can be read (TZif, RFC 8536)")
        }
        entries.withLock { $0[name] = Entry(stamp: stamp, rules: rules) }
        return rules
    }

    /// The names of all zones.
    public var names: [String] {
        for directory in directories {
            let paths = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
            let names = paths.filter { path in
                // Beside the zones lie tables, and copies of all zones in other forms.
                path.first?.isUppercase == true && !path.contains(".") && !Self.isDirectory(directory + "/" + path)
            }
            if !names.isEmpty { return names.sorted() }
        }
        return []
    }

    private func unknown(_ name: String) -> ScheduleError {
        let names = names
        guard !names.isEmpty else {
            return ScheduleError(
                .noZoneDatabase,
                "there is no time zone database in \(directories.joined(separator: ", ")), so only UTC is known; install "
                    + "the package tzdata, or set TZDIR to where it is")
        }
        let wanted = name.split(separator: "/").last?.lowercased().replacing(" ", with: "_") ?? ""
        let sameCity = names.filter { $0.split(separator: "/").last?.lowercased() == wanted }
        let cities = names.map { ($0.split(separator: "/").last.map(String.init) ?? $0, $0) }
        var near = sameCity + NearestNames.nearest(to: name, among: names, limit: 3)
        for city in NearestNames.nearest(to: wanted, among: cities.map(\.0), limit: 3) {
            near += cities.filter { $0.0 == city }.map(\.1)
        }
        var seen: Set<String> = []
        near = near.filter { seen.insert($0).inserted }
        let hint =
            near.isEmpty
            ? "names are like Europe/Warsaw, America/New_York or UTC"
            : "did you mean \(near.prefix(3).joined(separator: ", "))?"
        return ScheduleError(.unknownZone, "there is no time zone \"\(name)\"; \(hint)")
    }

    /// Nothing that leads out of the database.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count < 100 && !name.hasPrefix("/") && !name.contains(".")
            && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    private func stamp(of name: String) -> Stamp? {
        for directory in directories {
            var status = stat()
            guard stat(directory + "/" + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { continue }
            #if canImport(Darwin)
            let time = status.st_mtimespec
            #else
            let time = status.st_mtim
            #endif
            return Stamp(
                directory: directory, device: UInt64(truncatingIfNeeded: status.st_dev),
                inode: UInt64(truncatingIfNeeded: status.st_ino), size: Int64(status.st_size),
                modified: withUnsafeBytes(of: time) { Array($0) })
        }
        return nil
    }

    private static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_mode & S_IFMT != S_IFREG
    }
}
