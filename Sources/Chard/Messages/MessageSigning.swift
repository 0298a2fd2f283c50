// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How an app signs what it sends, and which messages its workers believe: see ``Chard/use(signing:)``.
public struct MessageSigning: Sendable {
    /// What signs and knows signatures.
    public var signer: any MessageSigner
    /// Whether a message without a signature is refused. One whose signature is wrong, or by a key that is not known, is so in any
    /// case.
    public var isRequired: Bool

    /// Signs everything, and refuses what is not signed where that is required.
    public init(_ signer: any MessageSigner, isRequired: Bool = false) {
        self.signer = signer
        self.isRequired = isRequired
    }

    /// Why an app cannot work so; `nil` if it can.
    var problem: String? {
        guard isRequired, !signer.canSign else { return nil }
        return
            "signatures are required, and none of its keys can sign: what it sends, tries again or lets follow would be refused; "
            + "give it a key of its own, of which the others need no more than the public half"
    }

    /// The message with a signature of what it is now; without one, where there is no key to sign with.
    func signing(_ message: TaskMessage) -> TaskMessage {
        var signed = message
        let signature = (try? message.signedBytes()).flatMap { signer.sign($0) }
        signed.headers[MessageSignature.header] = signature.map { .string($0.text) }
        return signed
    }

    /// Lets pass what may be believed.
    /// - Throws: ``MessageError`` that says why a message may not.
    func check(_ message: TaskMessage) throws(MessageError) {
        func refusal(_ code: MessageError.Code, _ text: String) -> MessageError {
            MessageError(code, text, partialID: message.id, partialTask: message.task)
        }
        guard let header = message.headers[MessageSignature.header] else {
            guard isRequired else { return }
            throw refusal(
                .unsigned,
                "the message is not signed, and only signed ones are taken here; its sender needs a key that is known")
        }
        guard let signature = header.string.flatMap(MessageSignature.init) else {
            throw refusal(
                .badSignature,
                "the header \(MessageSignature.header) is \("\(header)".limited), not a signature such as 1:KEY:BASE64")
        }
        switch signer.verdict(on: signature, of: try message.signedBytes()) {
        case .good: return
        case .unknownKey:
            throw refusal(
                .badSignature, "the message is signed with the key \(signature.keyID.limited), which is not known here")
        // A Python worker that tries a task again copies its headers, this one, too: it is a message of Python's, not signed.
        case .wrong where !isRequired && message.language == "py": return
        case .wrong:
            throw refusal(
                .badSignature,
                "the signature by the key \(signature.keyID.limited) is wrong: the message was changed after it was signed, or "
                    + "another key has that name there")
        }
    }
}
