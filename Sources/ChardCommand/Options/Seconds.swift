// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// A time span in seconds, with or without fraction.
struct Seconds: ExpressibleByArgument, Hashable, CustomStringConvertible {
    let duration: Duration

    /// Reads a number from 0 to a hundred years.
    init?(argument: String) {
        guard let seconds = Double(argument) else { return nil }
        self.init(seconds)
    }

    init?(_ seconds: Double) {
        guard (0...3_155_760_000).contains(seconds) else { return nil }
        duration = .seconds(seconds)
    }

    var description: String { "\(duration.seconds)" }
}
