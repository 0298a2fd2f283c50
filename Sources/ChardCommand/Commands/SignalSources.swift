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

/// Calls back on signals, on a queue that no task can keep busy.
final class SignalSources: Sendable {
    /// Dispatch's sources may be used from any thread.
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init(_ numbers: [Int32], on queue: DispatchQueue, _ action: @escaping @Sendable (Int32) -> Void) {
        sources = numbers.map { number in
            #if canImport(Darwin)
            // Without this the default action comes first.
            signal(number, SIG_IGN)
            #endif
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { action(number) }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
