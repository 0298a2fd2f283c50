// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// Signs everything that the app sends from now on, and lets its workers run nothing that is signed wrongly, or not at all where
    /// that is required. Say so before a worker starts.
    ///
    /// ```swift
    /// app.use(signing: MessageSigning(try SigningKeys("2026b:hmac:…"), isRequired: true))
    /// ```
    /// Signed are messages of tasks: not results, schedules, remote control or what else is in the broker. What a worker sends, tries
    /// again or lets follow is signed with the worker's own key; what is merely moved keeps its signature.
    public func use(signing: MessageSigning?) {
        keep(signing)
    }

    /// The message after a change that its signature does not survive: signed anew, if it was a good one.
    /// - Throws: ``AppError`` where it cannot be.
    func changed(_ message: TaskMessage, _ change: (inout TaskMessage) -> Void) throws(AppError) -> TaskMessage {
        var changed = message
        change(&changed)
        guard let signing else {
            guard message.headers[MessageSignature.header] != nil else { return changed }
            throw AppError(
                "\(message.task)[\(message.id)] is signed, and stays as it is: there is no key here to sign it anew; see "
                    + "Chard.use(signing:), or CHARD_SIGNING_KEYS")
        }
        do throws(MessageError) {
            try signing.check(message)
        } catch {
            throw AppError("\(message.task)[\(message.id)] stays as it is: \(error.message)")
        }
        let signed = signing.signing(changed)
        if message.headers[MessageSignature.header] != nil, signed.headers[MessageSignature.header] == nil {
            throw AppError(
                "\(message.task)[\(message.id)] is signed, and stays as it is: none of the keys here can sign it anew")
        }
        return signed
    }
}

extension TaskMessage {
    /// The message with what a broker must know of it, signed.
    func outgoing(by signing: MessageSigning?) -> OutgoingMessage {
        guard let signing else { return outgoing }
        return signing.signing(self).outgoing
    }
}
