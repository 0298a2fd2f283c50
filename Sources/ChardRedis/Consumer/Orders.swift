// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What the operator has ordered, as one process knows it.
struct Orders: Sendable, Hashable {
    /// The number of the last change that is in here.
    var number = "0"
    /// The ids of revoked tasks.
    var revoked: Set<String> = []
    /// The queues that nobody may take from.
    var paused: Set<String> = []

    /// The commands that read the orders. The number comes first: a change in between makes it look old, and the orders
    /// are read again, rather than new and the change be missed.
    static func read(_ keys: RedisKeys) -> [RedisCommand] {
        [
            RedisCommand("GET", keys.orders), RedisCommand("SMEMBERS", keys.paused),
            RedisCommand("ZRANGE", keys.revoked, 0, -1),
        ]
    }

    init() {}

    /// Reads the replies to ``read(_:)``.
    init(_ replies: [RESPValue]) throws(RedisError) {
        number = try replies[0].get().text ?? "0"
        paused = Set((try replies[1].get().array ?? []).compactMap(\.text))
        revoked = Set((try replies[2].get().array ?? []).compactMap(\.text))
    }
}
