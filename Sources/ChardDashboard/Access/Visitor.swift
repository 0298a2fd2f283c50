// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import HTTPTypes
import Hummingbird

/// Who a request is from, as far as it is known.
struct Visitor: Sendable {
    /// The name, for the log; empty where nobody says it.
    var user = ""
}

/// Why a request is not answered.
struct Refusal: Error {
    let status: HTTPResponse.Status
    let text: String
    var headers: HTTPFields = [:]
}

extension DashboardAccess {
    /// Who the request is from.
    /// - Throws: ``Refusal`` where nobody is let in who says no more than this.
    func visitor(of request: Request) throws(Refusal) -> Visitor {
        switch rule {
        case .open: return Visitor()
        case .local:
            guard Self.isLocal(request.head.authority ?? "") else {
                throw Refusal(
                    status: .forbidden,
                    text:
                        "This dashboard answers under a name of its own machine only, such as localhost. To reach it from "
                        + "elsewhere, give it a password.")
            }
            return Visitor()
        case .proxy(let header):
            guard let user = request.headers[header], !user.isEmpty else {
                throw Refusal(status: .unauthorized, text: "The proxy has named no user in \(header.rawName).")
            }
            return Visitor(user: user)
        case .secret(let user, let password, let token):
            if let visitor = Self.visitor(user, password, token, request.headers[.authorization] ?? "") {
                return visitor
            }
            throw Refusal(
                status: .unauthorized, text: "This dashboard asks for a password.",
                headers: [.wwwAuthenticate: "Basic realm=\"Chard\", charset=\"UTF-8\""])
        }
    }

    /// Whether the host of a request is this machine, whatever the port.
    static func isLocal(_ authority: String) -> Bool {
        let host = authority.lowercased()
        return ["localhost", "127.0.0.1", "[::1]"].contains { name in
            guard host.hasPrefix(name) else { return false }
            let rest = host.dropFirst(name.count)
            return rest.isEmpty || rest.first == ":" && rest.dropFirst().allSatisfy(\.isNumber)
        }
    }

    private static func visitor(_ user: String, _ password: String?, _ token: String?, _ header: String) -> Visitor? {
        let words = header.split(separator: " ", maxSplits: 1)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer":
            guard let token, isSame(String(words[1]), token) else { return nil }
            return Visitor(user: "token")
        case "basic":
            guard let password, let bytes = Data(base64Encoded: String(words[1])) else { return nil }
            let given = String(decoding: bytes, as: UTF8.self)
            guard let colon = given.firstIndex(of: ":") else { return nil }
            let name = String(given[..<colon])
            // Both are compared whatever the first says.
            let isPassword = isSame(String(given[given.index(after: colon)...]), password)
            let isUser = user.isEmpty || isSame(name, user)
            return isPassword && isUser ? Visitor(user: name) : nil
        default: return nil
        }
    }

    /// Whether two texts are the same, in a time that says nothing of where they differ.
    static func isSame(_ given: String, _ wanted: String) -> Bool {
        let (given, wanted) = (Array(given.utf8), Array(wanted.utf8))
        var difference = UInt(bitPattern: given.count ^ wanted.count)
        for index in wanted.indices {
            difference |= UInt(wanted[index] ^ (index < given.count ? given[index] : 0))
        }
        return difference == 0
    }
}
