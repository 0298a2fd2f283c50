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

    /// The end of the terminal, as a reason to end; none where `nohup` has the program ignore it.
    static var hangUp: [Int32] {
        var present = sigaction()
        guard sigaction(SIGHUP, nil, &present) == 0 else { return [] }
        #if canImport(Darwin)
        let handler = present.__sigaction_u.__sa_handler
        #else
        let handler = present.__sigaction_handler.sa_handler
        #endif
        // SIG_IGN, which is no function that could be compared.
        return unsafeBitCast(handler, to: Int.self) == 1 ? [] : [SIGHUP]
    }

    func cancel() {
        for source in sources { source.cancel() }
    }
}
