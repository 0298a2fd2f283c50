// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// An app's time: the one of its settings, until a test takes it over.
final class AppTime: Sendable {
    private let original: @Sendable () -> Date
    private let replacement = Mutex<(@Sendable () -> Date)?>(nil)
    /// Nothing but one load where nobody takes over: the time is asked for each message.
    private let isReplaced = Atomic(false)

    init(_ original: @escaping @Sendable () -> Date) {
        self.original = original
    }

    var now: Date {
        guard isReplaced.load(ordering: .acquiring), let replaced = replacement.withLock({ $0 }) else {
            return original()
        }
        return replaced()
    }

    func replace(with now: @escaping @Sendable () -> Date) {
        replacement.withLock { $0 = now }
        isReplaced.store(true, ordering: .releasing)
    }
}
