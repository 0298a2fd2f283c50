// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCrypto

private struct Secrets: Sendable {
    var signingKeys: String
}

private struct Card: Codable, Sendable {
    var number: String
}

private struct Bank: Sendable {
    func charge(_ order: Int, _ card: Card) async throws -> String { "receipt" }
}

private func signing(_ app: Chard, _ secrets: Secrets) throws {
    let keys = try SigningKeys(secrets.signingKeys)                   // "2026b:hmac:…", the product ChardCrypto
    app.use(signing: MessageSigning(keys, isRequired: true))
}

private func sealing(_ app: Chard, _ bank: Bank, _ card: Card) async throws {
    let charge = app.task("shop.charge") { (context: TaskContext, order: Int, card: Sealed<Card>) in
        let keys = try context.dependencies.get(SealingKeys.self)
        return try await bank.charge(order, keys.open(card, for: "card"))
    }

    let keys = try app.dependencies.get(SealingKeys.self)             // CHARD_ENCRYPTION_KEYS; or app.dependencies.register(SealingKeys("…"))
    try await charge.enqueue(7, keys.seal(card, for: "card"))
}
