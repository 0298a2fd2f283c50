// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation

/// Mail to the admin: through an SMTP server, or into a maildir folder where none is set.
struct Mail: Sendable {
    private enum Way {
        case smtp(host: String, port: Int)
        case maildir(String)
    }

    private let admin: String
    private let way: Way

    /// - Parameter smtp: `host` or `host:port`; empty for the maildir.
    init(admin: String, smtp: String, maildir: String) throws {
        guard Self.isAddress(admin) else { throw MailError("PROFILES_ADMIN is no address: \(admin)") }
        self.admin = admin
        guard !smtp.isEmpty else {
            way = .maildir(maildir)
            return
        }
        let words = smtp.split(separator: ":", omittingEmptySubsequences: false)
        guard words.count <= 2, let host = words.first, !host.isEmpty, let port = words.count == 2 ? Int(words[1]) : 25
        else {
            throw MailError("PROFILES_SMTP is not host:port: \(smtp)")
        }
        way = .smtp(host: String(host), port: port)
    }

    /// Sends what somebody has written. A mail that is sent twice, since its task ran twice, has the same id both times.
    func send(from sender: String, _ text: String, id: String) async throws {
        let message = message(from: sender, text, id)
        switch way {
        case .smtp(let host, let port): try await SMTP.send(message, from: admin, to: admin, host: host, port: port)
        case .maildir(let folder): try deliver(message, to: folder, id)
        }
    }

    /// One `@`, and nothing that could end a header's line or an address.
    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts.contains(where: \.isEmpty) && text.utf8.count <= 200
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>()[],;:\\\"".utf8.contains($0) }
    }

    private func message(from sender: String, _ text: String, _ id: String) -> String {
        // In base64, no text can look like a header, or like the end of the mail.
        let body = Data(text.utf8).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        return [
            "From: <\(admin)>", "To: <\(admin)>", "Reply-To: <\(sender)>", "Subject: Contact form",
            "Date: \(Self.date(Date()))", "Message-ID: <\(id)@profiles.invalid>", "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "", body, "",
        ].joined(separator: "\r\n")
    }

    private static func date(_ date: Date) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return format.string(from: date)
    }

    private func deliver(_ message: String, to folder: String, _ id: String) throws {
        for part in ["tmp", "new", "cur"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(part)", withIntermediateDirectories: true)
        }
        let name = "\(Int(Date().timeIntervalSince1970)).\(id).profiles"
        try Data(message.utf8).write(to: URL(filePath: "\(folder)/tmp/\(name)"))
        try FileManager.default.moveItem(atPath: "\(folder)/tmp/\(name)", toPath: "\(folder)/new/\(name)")
    }
}

struct MailError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
