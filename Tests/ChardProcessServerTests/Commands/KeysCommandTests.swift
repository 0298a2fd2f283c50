// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import TestServers
import Testing

@Suite("keys, and programs that have some", .timeLimit(.minutes(2)))
struct KeysCommandTests {
    private func chard(_ words: [String], input: String? = nil, _ environment: [String: String] = [:]) async throws
        -> CommandRun
    {
        guard let input else { return try await CommandRun(Program("chard", words, environment: environment)) }
        let line = #"printf '%s\n' "$INPUT" | "$@""#
        return try await CommandRun(
            Program(
                "/bin/sh", ["-c", line, "sh", Program.path(of: "chard")] + words,
                environment: environment.merging(["INPUT": input]) { $1 }))
    }

    @Test("a value is sealed and opened from standard input; with another purpose or key it is not, in one line")
    func seal() async throws {
        let keys = ["CHARD_ENCRYPTION_KEYS": try await chard(["keys", "new", "--kind", "aes", "--name", "k"]).output]
        let sealed = try await chard(["keys", "seal", "card"], input: #"{"number": "4111"}"#, keys)
        #expect(sealed.status == 0 && sealed.output.hasPrefix("sealed:1:k:") && sealed.talk.isEmpty, "\(sealed)")
        let opened = try await chard(["keys", "open", "card"], input: "\"\(sealed.lines[0])\"", keys)
        #expect(opened.status == 0 && opened.output == "{\"number\":\"4111\"}\n", "\(opened)")
        let other = try await chard(["keys", "open", "other"], input: String(sealed.lines[0]), keys)
        #expect(other.status == 1 && other.isOneLine && other.talk.contains("cannot be opened"), "\(other)")
        let stranger = ["CHARD_ENCRYPTION_KEYS": try await chard(["keys", "new", "--kind", "aes"]).output]
        let unknown = try await chard(["keys", "open", "card"], input: String(sealed.lines[0]), stranger)
        #expect(
            unknown.status == 1 && unknown.isOneLine && unknown.talk.contains("key k, which is not known"), "\(unknown)"
        )
        for (words, input) in [("seal", "{"), ("open", "4111")] {
            let wrong = try await chard(["keys", words, "card"], input: input, keys)
            #expect(wrong.status == 2 && wrong.isOneLine, "\(wrong)")
        }
        let without = try await chard(["keys", "seal", "card"], input: "1")
        #expect(
            without.status == 2 && without.isOneLine && without.talk.contains("CHARD_ENCRYPTION_KEYS"), "\(without)")
    }

    @Test("a worker that is to take only what is signed, and cannot sign itself, does not start")
    func publicOnly() async throws {
        let pair = try await chard(["keys", "new", "--kind", "ed25519"])
        let file = FileManager.default.temporaryDirectory.path + "/keys-\(TaskID.random()).db"
        defer { for end in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + end) } }
        let run = try await CommandRun(
            Program(
                "interop", ["worker"],
                environment: [
                    "CHARD_BROKER_URL": "sqlite:///\(file)", "CHARD_SIGNING_KEYS": String(pair.lines[1]),
                    "CHARD_REQUIRE_SIGNATURES": "true",
                ]))
        #expect(run.status == 2 && run.talk.contains("none of its keys can sign"), "\(run)")
    }
}
