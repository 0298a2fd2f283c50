// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// How long to wait for a result: `--wait` alone waits for ever, `--wait 5` five seconds.
enum WaitLimit: ExpressibleByArgument, Hashable, CustomStringConvertible {
    case forever
    case seconds(Seconds)

    init?(argument: String) {
        if argument == WaitLimit.forever.description {
            self = .forever
        } else if let seconds = Seconds(argument: argument), seconds.duration > .zero {
            self = .seconds(seconds)
        } else {
            return nil
        }
    }

    var description: String {
        switch self {
        case .forever: "forever"
        case .seconds(let seconds): seconds.description
        }
    }

    var duration: Duration? {
        if case .seconds(let seconds) = self { seconds.duration } else { nil }
    }
}
