// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

extension RedisError {
    /// The error that a failure of the network or of TLS stands for, on the way to `peer` or in the middle of it.
    init(connectionTo peer: String, failed error: any Error) {
        if let error = error as? RedisError {
            self = error
            return
        }
        let (code, detail) = Self.classify(error)
        if code == .tls {
            self.init(handshakeWith: peer, failed: error)
            return
        }
        let message =
            switch code {
            case .connectionRefused: "nothing listens on \(peer); check that the server runs and the address is right"
            case .unreachable: "\(peer) can't be reached (\(detail))"
            case .timedOut: "\(peer) did not accept a connection in time"
            default: "the connection to \(peer) was lost (\(detail))"
            }
        self.init(code: code, message: message, underlying: error)
    }

    private static func classify(_ error: any Error) -> (Code, String) {
        switch error {
        case let error as NIOConnectionError:
            // Of several addresses' failures, the last tried tells most: `localhost` is refused on IPv6, then IPv4.
            if let failure = error.connectionErrors.last { return classify(failure.error) }
            return (.unreachable, "the host name has no address")
        case let error as IOError:
            switch error.errnoCode {
            case ECONNREFUSED, ENOENT: return (.connectionRefused, "\(error)")
            case EHOSTUNREACH, ENETUNREACH, EACCES, EPERM, EADDRNOTAVAIL: return (.unreachable, "\(error)")
            case ETIMEDOUT: return (.timedOut, "\(error)")
            default: return (.closed, "\(error)")
            }
        case ChannelError.connectTimeout:
            return (.timedOut, "\(error)")
        case NIOSSLError.uncleanShutdown:
            return (.closed, "its end was not announced")
        case NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])):
            // A server that is just being stopped hangs up like this; nothing is wrong with certificates.
            return (.closed, "the server hung up during the TLS handshake")
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            return (.tls, reason(of: error))
        default:
            return (.closed, "\(error)")
        }
    }
}
