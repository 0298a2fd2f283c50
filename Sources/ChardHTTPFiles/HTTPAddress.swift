// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Where a server is, as a URL says it.
struct HTTPAddress: Sendable, CustomStringConvertible {
    let isSecure: Bool
    let host: String
    let port: Int
    /// Without a slash at its end.
    let path: String
    /// What `user:password@` comes to.
    let authorization: String?

    private var usualPort: Int { isSecure ? 443 : 80 }

    /// The host as requests name it.
    var hostHeader: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == usualPort ? name : "\(name):\(port)"
    }

    var description: String { "\(isSecure ? "https" : "http")://\(hostHeader)\(path)" }

    init(_ url: String) throws(FileError) {
        let trouble = FileError(
            .misnamed, "the URL of a file store is http://host[:port]/path or https://host[:port]/path")
        guard let mark = url.firstRange(of: "://") else { throw trouble }
        switch url[..<mark.lowerBound].lowercased() {
        case "http": isSecure = false
        case "https": isSecure = true
        default: throw trouble
        }
        let rest = url[mark.upperBound...]
        let slash = rest.firstIndex(of: "/") ?? rest.endIndex
        var path = rest[slash...]
        while path.last == "/" { path.removeLast() }
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") })
        else {
            throw trouble
        }
        self.path = String(path)
        var place = rest[..<slash]
        if let at = place.lastIndex(of: "@") {
            authorization = "Basic " + Data(Self.decoded(place[..<at])).base64EncodedString()
            place = place[place.index(after: at)...]
        } else {
            authorization = nil
        }
        var port: Substring?
        if place.first == "[", let close = place.firstIndex(of: "]") {
            host = String(place[place.index(after: place.startIndex)..<close])
            let behind = place[place.index(after: close)...]
            guard behind.isEmpty || behind.first == ":" else { throw trouble }
            port = behind.isEmpty ? nil : behind.dropFirst()
        } else if let colon = place.firstIndex(of: ":") {
            host = String(place[..<colon])
            port = place[place.index(after: colon)...]
        } else {
            host = String(place)
        }
        guard !host.isEmpty else { throw trouble }
        guard let port else {
            self.port = isSecure ? 443 : 80
            return
        }
        guard let number = Int(port), (1...65_535).contains(number) else { throw trouble }
        self.port = number
    }

    /// The bytes that stand behind `%` and two hexadecimal digits, and all others.
    private static func decoded(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(String(rest.prefix(2)) ?? "", radix: 16) {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
