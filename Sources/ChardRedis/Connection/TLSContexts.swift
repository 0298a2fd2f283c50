// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOSSL
import Synchronization

/// The TLS contexts of this process, one for each configuration.
///
/// A context holds every root certificate of the system and takes milliseconds to make, so all connections share it,
/// and a reconnecting client does not stall its event loop with it.
enum TLSContexts {
    private static let contexts = Mutex<[RedisTLS: NIOSSLContext]>([:])

    static func context(for tls: RedisTLS) throws(RedisError) -> NIOSSLContext {
        do {
            return try contexts.withLock { contexts in
                if let known = contexts[tls] { return known }
                let context = try NIOSSLContext(configuration: configuration(of: tls))
                contexts[tls] = context
                return context
            }
        } catch let error as RedisError {
            throw error
        } catch {
            throw RedisError(
                code: .tls,
                message:
                    "the TLS configuration can't be used (\(RedisError.reason(of: error))); check the certificates and key",
                underlying: error)
        }
    }

    /// Forgets a context after a failed handshake, so that the next attempt reads renewed files.
    static func forget(_ tls: RedisTLS) {
        contexts.withLock { _ = $0.removeValue(forKey: tls) }
    }

    private static func configuration(of tls: RedisTLS) throws(RedisError) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        if let file = tls.authorityFile {
            configuration.trustRoots = .certificates(try read(file) { try NIOSSLCertificate.fromPEMFile($0) })
        }
        if let file = tls.certificateFile {
            configuration.certificateChain = try read(file) { try NIOSSLCertificate.fromPEMFile($0) }
                .map { .certificate($0) }
        }
        if let file = tls.keyFile {
            configuration.privateKey = .privateKey(try read(file) { try NIOSSLPrivateKey(file: $0, format: .pem) })
        }
        if tls.acceptsAnyCertificate { configuration.certificateVerification = .none }
        return configuration
    }

    private static func read<Value>(_ file: String, _ load: (String) throws -> Value) throws(RedisError) -> Value {
        do {
            return try load(file)
        } catch {
            throw RedisError(
                code: .tls, message: "\(file) is missing, or holds no PEM of the kind it is meant to hold",
                underlying: error)
        }
    }
}
