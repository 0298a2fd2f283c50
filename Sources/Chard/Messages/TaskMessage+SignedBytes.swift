// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension TaskMessage {
    /// What a signature of version 1 is made of: all that decides on what runs, as what, and when. Not what is changed on the way, by
    /// brokers, workers and operators who have no key: the queue, the priority, marks of redelivery and loss.
    ///
    /// Each part is a netstring (`3:add,`), one that the message does not have is `-,`: so no two messages have the same bytes.
    func signedBytes() throws(MessageError) -> [UInt8] {
        // The bytes that the text in the envelope stands for: how it is escaped or broken into lines, others may change.
        let content = try body.text(compression: nil, limits: .held)
        var bytes = SignedBytes(capacity: content.count + 256)
        bytes.append("chard-message-1")
        bytes.append(task)
        bytes.append(id)
        bytes.append(rootID)
        bytes.append(parentID)
        bytes.append(group)
        bytes.append(groupIndex.map(String.init))
        bytes.append(eta.map(Timestamp.text))
        bytes.append(expires.map(Timestamp.text))
        bytes.append(String(retries))
        bytes.append(body.isText ? nil : compression)
        bytes.append(signedHeaders)
        bytes.append(content[...])
        return bytes.bytes
    }

    /// The headers of users and ours, as JSON with sorted keys; without those that are set on the way.
    private var signedHeaders: ArraySlice<UInt8> {
        guard !headers.isEmpty else { return Self.noHeaders }
        let signed = headers.filter { !HeaderOnTheWay.all.contains($0.key) }
        return signed.isEmpty ? Self.noHeaders : JSON.object(signed).encoded()[...]
    }

    private static let noHeaders = Array("{}".utf8)[...]
}

/// Parts put together such that they can be told apart.
private struct SignedBytes {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int) { bytes.reserveCapacity(capacity) }

    mutating func append(_ text: String?) {
        guard let text else {
            bytes.append(UInt8(ascii: "-"))
            bytes.append(UInt8(ascii: ","))
            return
        }
        append(Array(text.utf8)[...])
    }

    mutating func append(_ part: ArraySlice<UInt8>) {
        bytes.append(contentsOf: String(part.count).utf8)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(contentsOf: part)
        bytes.append(UInt8(ascii: ","))
    }
}
