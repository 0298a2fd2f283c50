// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An authority of a test's own and a server's certificate that it has signed, as PEM files, by `openssl`.
public final class PrivateAuthority: Sendable {
    private let directory: String

    /// What clients trust.
    public var authorityFile: String { directory + "/authority.pem" }
    /// What the server shows.
    public var certificateFile: String { directory + "/certificate.pem" }
    /// The key that belongs to ``certificateFile``.
    public var keyFile: String { directory + "/key.pem" }

    /// Makes both.
    ///
    /// - Parameter name: The only host that the certificate is for.
    public init(for name: String) async throws {
        directory = FileManager.default.temporaryDirectory.path + "/authority-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let (authorityKey, request, names) =
            (directory + "/authority-key.pem", directory + "/request.pem", directory + "/names.txt")
        try "subjectAltName=DNS:\(name)\n".write(toFile: names, atomically: true, encoding: .utf8)
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try await openssl(
            ["req", "-x509", "-days", "2", "-subj", "/CN=Authority", "-keyout", authorityKey, "-out", authorityFile]
                + key)
        try await openssl(["req", "-subj", "/CN=\(name)", "-keyout", keyFile, "-out", request] + key)
        try await openssl([
            "x509", "-req", "-in", request, "-CA", authorityFile, "-CAkey", authorityKey, "-CAcreateserial", "-days",
            "2",
            "-extfile", names, "-out", certificateFile,
        ])
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func openssl(_ words: [String]) async throws {
        let (status, output) = try await Child.output(of: "openssl", words)
        if status != 0 { throw TestServerError("openssl made no certificate: \(output)") }
    }
}
