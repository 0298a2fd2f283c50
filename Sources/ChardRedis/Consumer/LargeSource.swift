// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The one list that large messages come from, as far as the last claim tells.
///
/// A script copies each message it moves three times, which is nearly all that a large one costs the server. So these are
/// taken by `LMOVE` alone, for as long as there is no other list to be served before this one.
struct LargeSource: Sendable, Hashable {
    /// From this size on the copies cost more than the commands that a script saves.
    static let leastSize = 16_384
    /// How much is taken at once, in bytes, a message more or less: each round trip costs a pause.
    private static let portion = 4 << 20

    let queue: String
    let list: String
    /// How many to take at once.
    let count: Int

    /// The source of what a claim brought; nil if that is not large, or not of one list.
    init?(of claimed: [Delivery]) {
        guard let first = claimed.first, claimed.allSatisfy({ $0.place == first.place && $0.excerptOf == nil }) else {
            return nil
        }
        let size = claimed.reduce(0) { $0 + $1.payload.count } / claimed.count
        guard size >= Self.leastSize else { return nil }
        queue = first.queue
        list = first.place
        count = max(1, Self.portion / size)
    }
}
