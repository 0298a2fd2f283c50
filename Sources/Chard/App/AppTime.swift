// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// An app's time: the one of its settings, until a test takes it over.
final class AppTime: Sendable {
    private final class Replacement: Sendable {
        let now = Mutex<(@Sendable () -> Date)?>(nil)
    }

    private let original: @Sendable () -> Date
    /// Nothing but one load where nobody takes over: the time is asked for each message.
    private let replacement = AtomicLazyReference<Replacement>()

    init(_ original: @escaping @Sendable () -> Date) {
        self.original = original
    }

    var now: Date {
        guard let replaced = replacement.load()?.now.withLock({ $0 }) else { return original() }
        return replaced()
    }

    func replace(with now: @escaping @Sendable () -> Date) {
        replacement.storeIfNil(Replacement()).now.withLock { $0 = now }
    }
}
