// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization
import Testing

@testable import ChardCommand

@Suite("probe asks what runs here whether it lives", .timeLimit(.minutes(1)))
struct ProbeCommandTests {
    /// Lives, and is not ready.
    private struct Source: ProbeSource {
        func whyNotLive() async -> String? { nil }
        func whyNotReady() async -> String? { "the broker is away" }
        func metrics() async -> String { "" }
    }

    private func run(_ words: [String], _ environment: [String: String] = [:]) async -> (CommandStatus, String) {
        let said = Mutex("")
        let output = Output { _, bytes in
            said.withLock { $0 += String(decoding: bytes, as: UTF8.self) }
            return 0
        }
        let launch = Launch(
            app: Chard("shop"), name: "shop", environment: environment, output: output, bootstrapsLogging: false)
        let status = await launch.run(["probe"] + words)
        return (status, said.withLock { $0 })
    }

    @Test("Where nobody listens, it says so in words")
    func silence() async throws {
        let server = try await ProbeServer(at: try #require(ProbeAddress("127.0.0.1:0")), Source())
        let address = server.address
        await server.close()
        let (status, said) = await run(["--http", address])
        #expect(status == .failed)
        let words = "nothing listens there; see whether the process runs, and what its --http says"
        #expect(said == "shop: http://\(address)/live: \(words)\n")
    }

    @Test("It asks where --http or CHARD_HTTP says, and ends with 1 for whatever is not well")
    func asks() async throws {
        let server = try await ProbeServer(at: try #require(ProbeAddress("127.0.0.1:0")), Source())
        defer { server.stop() }
        let environment = ["CHARD_HTTP": server.address.replacing("127.0.0.1", with: "0.0.0.0")]
        #expect(await run([], environment) == (.done, "live\n"))
        #expect(await run(["live", "--http", server.address]) == (.done, "live\n"))
        let ready = await run(["ready"], environment)
        #expect(ready == (.failed, "shop: http://\(server.address)/ready: 503 the broker is away\n"))
        let elsewhere = await run(["http://\(server.address)/nothing"])
        #expect(elsewhere.0 == .failed && elsewhere.1.contains("404 there are /live"), "\(elsewhere)")
        #expect(await run(["http://\(server.address)/metrics", "--json"]).1.contains(#""status":200"#))
    }

    @Test("Nobody there, nobody named, and nonsense")
    func nobody() async throws {
        let server = try await ProbeServer(at: try #require(ProbeAddress("127.0.0.1:0")), Source())
        let address = server.address
        await server.close()
        let gone = await run(["--http", address])
        #expect(gone.0 == .failed && gone.1.hasPrefix("shop: http://\(address)/live: "), "\(gone)")
        let unnamed = await run([])
        #expect(unnamed.0 == .misused && unnamed.1.hasPrefix("shop: nobody says where to ask"))
        for nonsense in ["alive", "https://host/", "http://", "http://host:x/"] {
            #expect(await run([nonsense]).0 == .misused)
        }
    }

    @Test(
        "URLs of targets",
        arguments: [
            ("http://a", "http://a:80/"), ("http://a:8080/b?c", "http://a:8080/b?c"),
            ("http://[::1]:9/", "http://[::1]:9/"),
            ("http://[::1]", "http://[::1]:80/"), ("http://0.0.0.0:9100/live", "http://127.0.0.1:9100/live"),
        ])
    func targets(url: String, read: String) {
        #expect(ProbeTarget(url: url)?.description == read)
    }
}
