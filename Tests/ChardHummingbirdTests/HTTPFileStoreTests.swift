// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHTTPFiles
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import TestServers
import Testing

@Suite("Files over HTTP", .timeLimit(.minutes(1)))
struct HTTPFileStoreTests {
    /// Serves a folder with PUT, GET and DELETE below /files, for who knows the password.
    private func serve(_ body: (Int, FolderStore) async throws -> Void) async throws {
        let folder = FolderStore(FileManager.default.temporaryDirectory.path + "/http-\(UInt32.random(in: 0 ... .max))")
        defer { try? FileManager.default.removeItem(atPath: folder.location) }
        let app = Chard("files", broker: MemoryBroker())
        try await Site.with(app) { router, _ in
            router.put("files/{key}") { request, context in
                guard request.headers[.authorization] == "Basic bWU6cyBlY3JldA==" else {
                    return Response(status: .forbidden)
                }
                let bytes = try await request.body.collect(upTo: 4_000_000)
                try await folder.write(Array(bytes.readableBytesView), as: try context.parameters.require("key"))
                return Response(status: .created)
            }
            router.get("files/{key}") { _, context in
                guard let bytes = try? await folder.read(try context.parameters.require("key"), atMost: 9_000_000)
                else {
                    return Response(status: .notFound)
                }
                return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
            }
            router.delete("files/{key}") { _, context in
                let wasThere = try await folder.remove(try context.parameters.require("key"))
                return Response(status: wasThere ? .noContent : .notFound)
            }
        } _: { site in
            try await body(site.port, folder)
        }
    }

    private func code(_ body: () async throws -> Void) async throws -> FileError.Code? {
        let error = await #expect(throws: FileError.self) { try await body() }
        return error?.code
    }

    @Test("what is kept is read again and removed once, as in a folder")
    func keeps() async throws {
        try await serve { port, folder in
            let store = try HTTPFileStore("http://me:s%20ecret@127.0.0.1:\(port)/files/")
            #expect(store.location == "http://127.0.0.1:\(port)/files")
            let bytes = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
            let file = try await store.keep(bytes, name: "a")
            #expect(try await folder.contents(of: file) == bytes)
            #expect(try await store.contents(of: file) == bytes)
            #expect(try await code { _ = try await store.read(file.key, atMost: 2_999_999) } == .tooLarge)
            try await store.write([], as: "empty")
            #expect(try await store.read("empty", atMost: 0) == [])
            #expect(try await store.remove(file))
            #expect(try await !store.remove(file))
            #expect(try await code { _ = try await store.contents(of: file) } == .missing)
            #expect(try await code { try await store.write([1], as: "../secret") } == .misnamed)
        }
    }

    @Test("a server that refuses, is silent or is not there is named, without its password")
    func troubles() async throws {
        try await serve { port, _ in
            let refused = try HTTPFileStore("http://me:wrong@127.0.0.1:\(port)/files")
            let error = await #expect(throws: FileError.self) { try await refused.write([1], as: "a") }
            #expect(error?.code == .unavailable)
            #expect(error?.description.contains("403") == true && error?.description.contains("wrong") == false)
        }
        let away = try HTTPFileStore("http://127.0.0.1:\(try FreePort.find())/files")
        #expect(try await code { try await away.write([1], as: "a") } == .unavailable)
    }

    /// Python's own web server with TLS, which keeps what is put there.
    private static let secureServer = """
        import http.server, ssl, sys
        files = {}
        class Files(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                files[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(201)
            def do_GET(self):
                self.answer(200 if self.path in files else 404, files.get(self.path, b""))
            def do_DELETE(self):
                self.answer(204 if files.pop(self.path, None) is not None else 404)
            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        print(server.server_port, flush=True)
        server.serve_forever()
        """

    @Test("a server of a private authority is used where that is named, and its certificate is for its name")
    func privateAuthority() async throws {
        let authority = try await PrivateAuthority(for: "localhost")
        let server = try Program(
            "/usr/bin/env", ["python3", "-c", Self.secureServer, authority.certificateFile, authority.keyFile])
        try await eventually("the server listens") { server.output.hasSuffix("\n") }
        let port = try #require(Int(server.output.dropLast()), "\(server.talk)")
        func trouble(_ url: String, authorityFile: String?) async throws -> String {
            let store =
                try authorityFile.map { try HTTPFileStore(url, authorityFile: $0) } ?? HTTPFileStore(url)
            let error = await #expect(throws: FileError.self) { try await store.write([1], as: "a") }
            #expect(error?.code == .unavailable)
            return error?.description ?? ""
        }

        let store = try HTTPFileStore("https://localhost:\(port)/files", authorityFile: authority.authorityFile)
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let file = try await store.keep(bytes)
        #expect(try await store.contents(of: file) == bytes)
        #expect(try await store.remove(file))
        #expect(try await code { _ = try await store.contents(of: file) } == .missing)

        let untrusted = try await trouble("https://localhost:\(port)/files", authorityFile: nil)
        #expect(untrusted.contains("its certificate is not trusted"), "\(untrusted)")
        let stranger = try await PrivateAuthority(for: "localhost")
        let strange = try await trouble("https://localhost:\(port)", authorityFile: stranger.authorityFile)
        #expect(strange.contains("its certificate is not trusted"), "\(strange)")
        let misnamed = try await trouble("https://127.0.0.1:\(port)", authorityFile: authority.authorityFile)
        #expect(misnamed.contains("its certificate is for another name than 127.0.0.1"), "\(misnamed)")
        #expect(try await store.contents(of: store.keep([7])) == [7], "nothing of that has harmed the server")

        try await serve { port, _ in
            let plain = try await trouble("https://127.0.0.1:\(port)", authorityFile: authority.authorityFile)
            #expect(plain.contains("it does not speak TLS"), "\(plain)")
        }
    }

    @Test("an authority that makes no sense is refused")
    func authorities() throws {
        #expect(throws: FileError.self) { try HTTPFileStore("https://host", authorityFile: "/nowhere.pem") }
        #expect(throws: FileError.self) { try HTTPFileStore("https://host", authorityFile: #filePath) }
        #expect(throws: FileError.self) { try HTTPFileStore("http://host", authorityFile: "/etc/hosts") }
    }

    @Test("URLs that make no sense are refused")
    func urls() throws {
        for url in [
            "", "files", "ftp://host/x", "http://", "http://host:0/", "http://host:x/", "http://host/a b", "https:///x",
        ] {
            #expect(throws: FileError.self, "\(url)") { try HTTPFileStore(url) }
        }
        #expect(try HTTPFileStore("https://files.example.com/up/").location == "https://files.example.com/up")
        #expect(try HTTPFileStore("http://[::1]:8080").location == "http://[::1]:8080")
    }
}
