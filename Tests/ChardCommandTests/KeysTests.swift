// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
import FoundationEssentials
import Synchronization
import Testing

@testable import ChardCommand

@Suite("Keys of the settings, and the command that makes them")
struct KeysTests {
    private func reader(_ environment: [String: String]) throws -> SettingsReader {
        try SettingsReader(config: nil, environment: environment)
    }

    private func answer(_ words: [String]) async -> (status: CommandStatus, answer: String, talk: String) {
        let said = Mutex((answer: "", talk: ""))
        let output = Output { stream, bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            said.withLock { if stream == .answer { $0.answer += text } else { $0.talk += text } }
            return 0
        }
        let launch = Launch(
            app: Chard("shop"), name: "shop", environment: [:], output: output, bootstrapsLogging: false)
        let status = await launch.run(["keys", "new"] + words)
        return said.withLock { (status, $0.answer, $0.talk) }
    }

    @Test("keys new prints what the settings take")
    func new() async throws {
        let hmac = await answer([])
        #expect(hmac.status == .done && hmac.talk.isEmpty)
        #expect(try SigningKeys(hmac.answer).keys.map(\.kind) == [.hmac])
        let pair = await answer(["--kind", "ed25519", "--name", "web"])
        let lines = pair.answer.split(separator: "\n").map(String.init)
        #expect(try lines.map { try SigningKey($0).kind } == [.ed25519, .ed25519Public])
        #expect(try SigningKey(lines[0]).publicHalf?.text == lines[1] && lines[1].hasPrefix("web:"))
        let json = try JSON(parsing: Array(await answer(["--kind", "aes", "--json"]).answer.utf8))
        #expect(try SealingKeys(try #require(json["key"]?.string)).ids == [json["name"]?.string])
        #expect(json["kind"] == "aes" && json["public_key"] == .null)
        let wrong = await answer(["--name", "a:b"])
        #expect(wrong.status == .misused && wrong.talk.contains("--name") && wrong.answer.isEmpty)
    }

    @Test("they come from the environment or a file, and win over the program's own")
    func sources() throws {
        let key = try SigningKey.random(id: "k")
        let own = MessageSigning(try SigningKeys([try .random(id: "own")]))
        #expect(try reader([:]).signing(inCode: nil) == nil)
        #expect(try reader([:]).signing(inCode: own)?.signer.sign([1])?.keyID == "own")
        let required = try reader(["CHARD_REQUIRE_SIGNATURES": "true"]).signing(inCode: own)
        #expect(required?.isRequired == true && required?.signer.sign([1])?.keyID == "own")
        let set = try reader(["CHARD_SIGNING_KEYS": key.text, "CHARD_REQUIRE_SIGNATURES": "yes"]).signing(inCode: own)
        #expect(set?.isRequired == true && set?.signer.sign([1])?.keyID == "k")
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("keys-\(TaskID.random())").path
        try Data("# ours\n\(key.text)\n".utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let read = try reader(["CHARD_SIGNING_KEYS_FILE": path]).signing(inCode: nil)
        #expect(read?.isRequired == false && read?.signer.sign([1])?.keyID == "k")
        let sealing = try SealingKeys.randomText(id: "s")
        #expect(try reader(["CHARD_ENCRYPTION_KEYS": sealing]).sealingKeys()?.ids == ["s"])
    }

    @Test(
        "what is wrong is said in one line that names the place and no key",
        arguments: [
            (["CHARD_SIGNING_KEYS": "k:hmac:U0VDUkVU"], "CHARD_SIGNING_KEYS: the key k has 6 bytes"),
            (["CHARD_SIGNING_KEYS_FILE": "/no/such"], "CHARD_SIGNING_KEYS_FILE: the file /no/such"),
            (["CHARD_REQUIRE_SIGNATURES": "1"], "there are no keys"),
            (["CHARD_ENCRYPTION_KEYS": "k:hmac:U0VDUkVU"], "CHARD_ENCRYPTION_KEYS: the key k is not one to seal with"),
        ])
    func wrong(_ environment: [String: String], _ words: String) throws {
        let error = #expect(throws: CommandError.self) {
            let reader = try reader(environment)
            _ = try reader.signing(inCode: nil)
            _ = try reader.sealingKeys()
        }
        let text = try #require(error.map { "\($0)" })
        #expect(text.contains(words) && !text.contains("U0VD") && !text.contains("\n"), "\(text)")
    }
}
