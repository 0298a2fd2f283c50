// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Calls back on SIGTERM, SIGINT and SIGHUP, for what ends quickly and holds nothing.
struct EndSignals: Sendable {
    private let sources: SignalSources

    init(_ action: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "chard.signals")
        sources = SignalSources([SIGTERM, SIGINT] + SignalSources.hangUp, on: queue) { _ in action() }
    }

    func cancel() {
        sources.cancel()
    }
}
