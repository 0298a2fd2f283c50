// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import NIOCore
import NIOSSL

extension RedisError {
    /// What a failed TLS handshake comes to, in words: which of the things that may be wrong it is, and how to mend it.
    ///
    /// - Parameter certificate: What the server has shown, if it came that far.
    init(
        handshakeWith peer: String, failed error: any Error, certificate: NIOSSLCertificate? = nil, now: Date = Date()
    ) {
        self.init(
            code: .tls, message: Self.words(for: Self.reason(of: error), peer, certificate, now), underlying: error)
    }

    private static func words(
        for reason: String, _ peer: String, _ certificate: NIOSSLCertificate?, _ now: Date
    ) -> String {
        switch reason {
        case "CERTIFICATE_VERIFY_FAILED":
            if let certificate {
                let (first, last) = (date(certificate.notValidBefore), date(certificate.notValidAfter))
                if last < now {
                    return "the certificate of \(peer) expired on \(day(last)); it has to be renewed there"
                }
                if first > now {
                    return
                        "the certificate of \(peer) is valid from \(day(first)) on; check the clocks of both machines"
                }
            }
            return
                "the certificate of \(peer) is not trusted: no authority that is known here has signed it; name the one that "
                + "has with ssl_ca_certs=FILE in the URL"
        case let reason where reason.contains("failedToValidateHostname"):
            return
                "the certificate of \(peer) is for another name; connect by the name that it is for, or have it renewed there"
        case "WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL":
            return "\(peer) does not speak TLS; if that is its plain port, the URL must start with redis://"
        case "TLSV1_ALERT_CERTIFICATE_REQUIRED", "TLSV13_ALERT_CERTIFICATE_REQUIRED", "SSLV3_ALERT_HANDSHAKE_FAILURE":
            return
                "\(peer) asks for a certificate of ours; name one with ssl_certfile=FILE and ssl_keyfile=FILE in the URL"
        case "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE", "SSLV3_ALERT_CERTIFICATE_UNKNOWN":
            return "\(peer) does not trust our certificate (\(reason)); check ssl_certfile"
        case "SSLV3_ALERT_CERTIFICATE_EXPIRED":
            return "\(peer) says that our certificate has expired; renew the one of ssl_certfile"
        default:
            return
                "TLS with \(peer) failed (\(reason)); check that the server speaks TLS and its certificate is trusted"
        }
    }

    private static func date(_ time: some BinaryInteger) -> Date { Date(timeIntervalSince1970: Double(time)) }

    private static func day(_ date: Date) -> String { String(Timestamp.text(for: date).prefix(10)) }

    /// The TLS library's own word for what went wrong, without the file and line of the machine on which it was built.
    static func reason(of error: any Error) -> String {
        let text = "\(error)"
        guard let mark = text.firstRange(of: "OPENSSL_internal:") else { return withoutPlaces(text) }
        return String(text[mark.upperBound...].prefix { $0.isUppercase || $0.isNumber || $0 == "_" })
    }

    /// A text without any ` at /path/of/a/file:12`.
    private static func withoutPlaces(_ text: String) -> String {
        var rest = text[...]
        var result = ""
        while let mark = rest.firstRange(of: " at /") {
            result += rest[..<mark.lowerBound]
            rest = rest[mark.upperBound...].drop { !$0.isWhitespace && $0 != "]" && $0 != ")" && $0 != "," }
        }
        return result + rest
    }

    /// Nobody has answered the handshake.
    static func silentHandshake(with peer: String, isPlainRedis: Bool, _ cause: RedisError) -> RedisError {
        let message =
            isPlainRedis
            ? "\(peer) does not speak TLS, but answers without; the URL must start with redis://"
            : "\(peer) took the connection and answers nothing, neither with TLS nor without; check that a Redis server listens there"
        return RedisError(code: isPlainRedis ? .tls : .timedOut, message: message, underlying: cause)
    }
}
