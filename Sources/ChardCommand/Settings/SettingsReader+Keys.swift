// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCrypto
import FoundationEssentials

extension SettingsReader {
    /// How messages are signed, of what is set and what the program says itself; `nil` where they are not.
    func signing(inCode: MessageSigning?) throws -> MessageSigning? {
        let keys = try keys(.signingKeys, .signingKeysFile)
        let isRequired = try flag(.requireSignatures, flag: false)
        if let keys {
            return MessageSigning(try keys.read(SigningKeys.init), isRequired: isRequired || inCode?.isRequired == true)
        }
        guard isRequired else { return inCode }
        guard var signing = inCode else {
            throw CommandError(
                "\(Setting.requireSignatures.variable) asks for signatures, and there are no keys to judge them by: set "
                    + "\(Setting.signingKeys.variable) or \(Setting.signingKeysFile.variable)", status: .misused)
        }
        signing.isRequired = true
        return signing
    }

    /// The keys that values are sealed with, where some are set.
    func sealingKeys() throws -> SealingKeys? {
        try keys(.encryptionKeys, .encryptionKeysFile)?.read(SealingKeys.init)
    }

    private func keys(_ setting: Setting, _ file: Setting) throws -> FoundKeys? {
        let (keys, path) = (try text(setting, flag: nil, named: ""), try text(file, flag: nil, named: ""))
        if let keys, let path {
            throw CommandError(
                "\(keys.origin) and \(path.origin) are both set; say keys in one place", status: .misused)
        }
        if let keys { return FoundKeys(text: keys.value, origin: keys.origin) }
        return try path.map { try FoundKeys(file: $0.value, origin: $0.origin) }
    }
}

/// Keys as somebody has set them.
struct FoundKeys {
    let text: String
    let origin: String

    init(text: String, origin: String) {
        (self.text, self.origin) = (text, origin)
    }

    /// Reads a file of keys.
    init(file path: String, origin: String) throws(CommandError) {
        guard let content = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
            throw CommandError("\(origin): the file \(path) of keys is not there, or cannot be read", status: .misused)
        }
        self.init(text: String(decoding: content, as: UTF8.self), origin: "\(origin): \(path)")
    }

    /// Makes them keys, or says where there are none.
    func read<Keys>(_ make: (String) throws(AppError) -> Keys) throws(CommandError) -> Keys {
        do throws(AppError) {
            return try make(text)
        } catch {
            throw CommandError("\(origin): \(error)", status: .misused)
        }
    }
}
