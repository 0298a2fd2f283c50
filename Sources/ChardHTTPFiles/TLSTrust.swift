// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore
import NIOSSL

/// Whom a store believes that it is the server: made once, since it holds every certificate of the system.
struct TLSTrust: Sendable {
    private let context: NIOSSLContext

    /// - Parameter authorityFile: PEM certificates in the place of the system's.
    init(authorityFile: String?) throws(FileError) {
        var configuration = TLSConfiguration.makeClientConfiguration()
        do {
            if let authorityFile {
                configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorityFile))
            }
            context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw FileError(.misnamed, "\(authorityFile ?? "the system") has no PEM certificates that can be read")
        }
    }

    /// Encrypts one connection.
    func handler(for host: String) throws -> NIOSSLClientHandler {
        let isName = (try? SocketAddress(ipAddress: host, port: 0)) == nil
        return try NIOSSLClientHandler(context: context, serverHostname: isName ? host : nil)
    }

    /// What a failed handshake comes to, in words; `nil` if it is about something else.
    static func problem(_ error: any Error, with address: HTTPAddress) -> String? {
        guard error is NIOSSLError || error is BoringSSLError || error is NIOSSLExtraError else { return nil }
        let text = "\(error)"
        let words =
            if text.contains("CERTIFICATE_VERIFY_FAILED") {
                "its certificate is not trusted: it has expired, or no authority that is known here has signed it; name the one that has with authorityFile"
            } else if text.contains("failedToValidateHostname") {
                "its certificate is for another name than \(address.host)"
            } else if ["WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"].contains(where: text.contains) {
                "it does not speak TLS; if that is its plain port, the URL must start with http://"
            } else {
                "the encryption failed: \(text)"
            }
        return "\(address) cannot be used: \(words)"
    }
}
