// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A file as it travels: the key under which a ``FileStore`` keeps it, and what one may know without opening it.
///
/// It is removed when its task is done: when the task has succeeded, has failed for good, was revoked or has expired. It stays for as
/// long as something names it that the task has left behind: a retry, a dead letter, the next task of a chain, the result. So a file
/// belongs to one task: give each of several a file of its own.
public struct StoredFile: Codable, Sendable, Hashable {
    /// The key under which its store keeps it.
    public let key: String
    /// What its owner calls it.
    public let name: String
    /// What it is, such as `image/png`.
    public let mediaType: String
    /// How many bytes it has.
    public let size: Int

    /// Names a file that is kept already.
    public init(key: String, name: String = "", mediaType: String = "application/octet-stream", size: Int) {
        self.key = key
        self.name = name
        self.mediaType = mediaType
        self.size = size
    }

    private enum CodingKeys: String, CodingKey {
        // The member by which files are found among arguments of any type.
        case key = "chard_file"
        case name
        case mediaType = "media_type"
        case size
    }
}

extension StoredFile {
    /// The keys of all files that are named somewhere in a JSON text, whatever it is.
    static func keys(in json: some Collection<UInt8>) -> Set<String> {
        var keys: Set<String> = []
        let found: Void? = json.withContiguousStorageIfAvailable { text in
            var place = 0
            while let end = end(of: mark, in: text, from: place) {
                place = end
                var next = skipSpace(in: text, from: end)
                guard next < text.count, text[next] == UInt8(ascii: ":") else { continue }
                next = skipSpace(in: text, from: next + 1)
                guard next < text.count, text[next] == UInt8(ascii: "\"") else { continue }
                let start = next + 1
                guard let close = text[start...].firstIndex(of: UInt8(ascii: "\"")) else { return }
                let key = String(decoding: text[start..<close], as: UTF8.self)
                if FileError.isKey(key) { keys.insert(key) }
                place = close
            }
        }
        return found == nil ? Self.keys(in: Array(json)) : keys
    }

    // Within a string of somebody's the quotes would have a backslash before them.
    private static let mark = Array("\"chard_file\"".utf8)

    private static func end(of mark: [UInt8], in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var place = start
        while place + mark.count <= text.count {
            guard let quote = text[place...].firstIndex(of: mark[0]), quote + mark.count <= text.count else {
                return nil
            }
            if text[quote..<quote + mark.count].elementsEqual(mark) { return quote + mark.count }
            place = quote + 1
        }
        return nil
    }

    private static func skipSpace(in text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        text[start...].firstIndex { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } ?? text.count
    }
}
