// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A file of the time zone database: TZif (RFC 8536), versions 1 to 4.
enum TimeZoneFile {
    /// Larger files are none: the largest of the database has four thousand bytes.
    static let limit = 1 << 20

    /// Reads the changes and the rule that follows them; `nil` if the bytes are damaged or no such file.
    static func rules(named name: String, _ bytes: [UInt8]) -> TimeZoneRules? {
        guard bytes.count <= limit else { return nil }
        var reader = Reader(bytes: bytes)
        guard let first = Header(&reader) else { return nil }
        guard first.version >= 2 else { return rules(named: name, &reader, first, width: 4) }
        // What follows in 32 bits is for old programs.
        guard reader.skip(first.size(width: 4)), let second = Header(&reader) else { return nil }
        return rules(named: name, &reader, second, width: 8)
    }

    private struct Header {
        var version: Int
        var isUTCount = 0, isStandardCount = 0, leapCount = 0, timeCount = 0, typeCount = 0, characterCount = 0

        init?(_ reader: inout Reader) {
            guard reader.take(4) == Array("TZif".utf8)[...], let version = reader.take(1)?.first, reader.skip(15) else {
                return nil
            }
            // The version is a digit, or NUL for the first.
            self.version = version == 0 ? 1 : Int(version) - 0x30
            var counts: [Int] = []
            for _ in 0..<6 {
                guard let count = reader.integer(width: 4), 0...TimeZoneFile.limit ~= count else { return nil }
                counts.append(count)
            }
            (isUTCount, isStandardCount, leapCount) = (counts[0], counts[1], counts[2])
            (timeCount, typeCount, characterCount) = (counts[3], counts[4], counts[5])
        }

        func size(width: Int) -> Int {
            timeCount * (width + 1) + typeCount * 6 + characterCount + leapCount * (width + 4) + isStandardCount
                + isUTCount
        }
    }

    private static func rules(
        named name: String, _ reader: inout Reader, _ header: Header, width: Int
    ) -> TimeZoneRules? {
        // Files that count leap seconds ("right/...") tell times that no clock of a computer shows.
        guard header.leapCount == 0, header.typeCount > 0, reader.count >= header.size(width: width) else { return nil }
        let times = (0..<header.timeCount).compactMap { _ in reader.integer(width: width) }
        guard let types = reader.take(header.timeCount) else { return nil }
        var offsets: [Int] = []
        for _ in 0..<header.typeCount {
            guard let offset = reader.integer(width: 4), -93_600...93_600 ~= offset, reader.skip(2) else { return nil }
            offsets.append(offset)
        }
        var changes: [TimeZoneRules.Change] = []
        for (time, type) in zip(times, types) {
            guard Int(type) < offsets.count, changes.last.map({ $0.at < time }) ?? true else { return nil }
            changes.append(TimeZoneRules.Change(at: time, offset: offsets[Int(type)]))
        }
        var rule: PosixTimeZone?
        if width == 8 {
            guard reader.skip(header.size(width: 8) - header.timeCount * 9 - header.typeCount * 6) else { return nil }
            let footer = reader.line()
            if !footer.isEmpty {
                rule = PosixTimeZone(footer)
                if rule == nil { return nil }
            }
        }
        return TimeZoneRules(name: name, initialOffset: offsets[0], changes: changes, rule: rule)
    }

    private struct Reader {
        let bytes: [UInt8]
        private var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var count: Int { bytes.count - index }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard 0...self.count ~= count else { return nil }
            defer { index += count }
            return bytes[index..<(index + count)]
        }

        mutating func skip(_ count: Int) -> Bool { take(count) != nil }

        /// A number with sign, its highest byte first.
        mutating func integer(width: Int) -> Int? {
            guard let bytes = take(width) else { return nil }
            let bits = bytes.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return width == 4 ? Int(Int32(truncatingIfNeeded: bits)) : Int(Int64(truncatingIfNeeded: bits))
        }

        /// What stands between the next two ends of line.
        mutating func line() -> String {
            guard take(1)?.first == 0x0A else { return "" }
            return String(decoding: bytes[index...].prefix { $0 != 0x0A }, as: UTF8.self)
        }
    }
}
