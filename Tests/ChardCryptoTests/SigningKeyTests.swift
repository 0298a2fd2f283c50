// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ChardCrypto
import Foundation
import Testing

@testable import Chard

@Suite("Keys that sign")
struct SigningKeyTests {
    private func base64(_ hex: String) -> String { Base64.encode(bytes(hex)) }

    private func bytes(_ hex: String) -> [UInt8] {
        stride(from: 0, to: hex.count, by: 2).map { index in
            let start = hex.index(hex.startIndex, offsetBy: index)
            return UInt8(hex[start...].prefix(2), radix: 16) ?? 0
        }
    }

    @Test("HMAC-SHA256 signs as RFC 4231 says")
    func hmac() throws {
        let keys = try SigningKeys("k:hmac:\(base64(String(repeating: "aa", count: 131)))")
        let message = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)
        let signature = try #require(keys.sign(message))
        #expect(signature.keyID == "k")
        #expect(signature.bytes == bytes("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"))
        #expect(keys.verdict(on: signature, of: message) == .good)
        #expect(keys.verdict(on: signature, of: message + [0]) == .wrong)
        #expect(keys.verdict(on: MessageSignature(keyID: "k", bytes: []), of: message) == .wrong)
        #expect(keys.verdict(on: MessageSignature(keyID: "K", bytes: signature.bytes), of: message) == .unknownKey)
    }

    @Test("Ed25519 knows the signatures of RFC 8032, by the private half and by the public one")
    func ed25519() throws {
        let secret = base64("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
        let publicHalf =
            "k:ed25519-public:" + base64("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
        let key = try SigningKey("k:ed25519:\(secret)")
        #expect(key.publicHalf?.text == publicHalf)
        let known = MessageSignature(
            keyID: "k",
            bytes: bytes(
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"))
        for keys in [try SigningKeys([key]), try SigningKeys(publicHalf)] {
            #expect(keys.verdict(on: known, of: [0x72]) == .good)
            #expect(keys.verdict(on: known, of: [0x73]) == .wrong)
        }
        let own = try #require(try SigningKeys([key]).sign([0x72]))
        #expect(try SigningKeys(publicHalf).verdict(on: own, of: [0x72]) == .good)
        #expect(try !SigningKeys(publicHalf).canSign && SigningKeys(publicHalf).sign([0x72]) == nil)
    }

    @Test("the first key that can sign does so, and all are known; a list has commas, lines and comments")
    func lists() throws {
        let (old, new) = (try SigningKey.random(id: "old"), try SigningKey.random(id: "new", ed25519: true))
        let theirs = try #require(try SigningKey.random(id: "web", ed25519: true).publicHalf)
        let keys = try SigningKeys("# theirs\n\(theirs.text)\n\(new.text), \(old.text)\n")
        #expect(keys.keys.map(\.id) == ["web", "new", "old"])
        let signature = try #require(keys.sign([1]))
        #expect(signature.keyID == "new")
        #expect(keys.verdict(on: try #require(SigningKeys([old]).sign([1])), of: [1]) == .good)
        #expect(try SigningKeys([old]).verdict(on: signature, of: [1]) == .unknownKey)
    }

    @Test(
        "a key that is none is told so in one line, without the key",
        arguments: [
            ("", "no key"), ("2026", "3: NAME:KIND:BASE64"), ("a b:hmac:", "parts"), ("ü:hmac:AAAA", "name"),
            ("k:rsa:AAAA", "kind"), ("k:hmac:SECRET!", "not base64"), ("k:hmac:U0VDUkVU", "at least 32"),
            ("k:ed25519:U0VDUkVU", "6 bytes, expected 32"), ("k:ed25519-public:U0VDUkVU", "32"),
        ])
    func nonsense(_ text: String, _ part: String) throws {
        let error = #expect(throws: AppError.self) { try SigningKeys(text) }
        let words = try #require(error?.description)
        #expect(words.contains(part) && !words.contains("\n") && !words.contains("SECRET") && !words.contains("U0VD"))
    }

    @Test("two keys of one name are refused, and a key never shows itself")
    func names() throws {
        let key = try SigningKey.random(id: "k")
        #expect(throws: AppError.self) { try SigningKeys([key, try SigningKey.random(id: "k")]) }
        #expect("\(key)" == "k:hmac" && key.text.hasPrefix("k:hmac:"))
        #expect(throws: AppError.self) { try SigningKey.random(id: "a:b") }
    }
}
