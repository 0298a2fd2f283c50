// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What is to be said on the page that somebody is sent to after an order: once, and not in its address, where anybody could write.
final class Notices: Sendable {
    private let texts = Mutex<[(id: String, text: String)]>([])

    /// More are not kept: some are never looked at.
    private static let most = 100

    /// Keeps a text, and returns the id it is known by.
    func add(_ text: String) -> String {
        let id = String(UInt64.random(in: .min ... .max), radix: 36)
        texts.withLock { texts in
            texts.append((id, text))
            if texts.count > Self.most { texts.removeFirst() }
        }
        return id
    }

    /// The text, which is forgotten.
    func take(_ id: String) -> String? {
        texts.withLock { texts in
            guard let index = texts.firstIndex(where: { $0.id == id }) else { return nil }
            return texts.remove(at: index).text
        }
    }
}
