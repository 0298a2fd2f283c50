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

/// Calls back on SIGTERM and SIGINT, for what ends quickly and holds nothing.
final class EndSignals: Sendable {
    /// Dispatch's sources may be used from any thread.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init(_ action: @escaping @Sendable () -> Void) {
        let queue = DispatchQueue(label: "chard.signals")
        sources = [SIGTERM, SIGINT].map { number in
            #if canImport(Darwin)
            // Without this the default action comes first.
            signal(number, SIG_IGN)
            #endif
            return DispatchSource.makeSignalSource(signal: number, queue: queue)
        }
        for source in sources {
            source.setEventHandler(handler: action)
            source.resume()
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
