// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How the room of a claim is shared among queues.
enum Shares {
    /// How many messages to take of each of several queues, which have `available` ones: one of each in turn, from the
    /// first on, until the room is used up.
    static func of(_ available: [Int], room: Int) -> [Int] {
        var shares = available.map { _ in 0 }
        var room = room
        while room > 0 {
            let open = available.indices.filter { shares[$0] < available[$0] }
            guard !open.isEmpty else { break }
            // As many turns at once as all queues that are left have messages for.
            let turns = max(1, min(open.map { available[$0] - shares[$0] }.min() ?? 1, room / open.count))
            for index in open where room > 0 {
                shares[index] += min(turns, room)
                room -= min(turns, room)
            }
        }
        return shares
    }

    /// One element of each line in turn, for as long as there are any.
    static func interleaved<Element>(_ lines: [[Element]]) -> [Element] {
        guard lines.count > 1 else { return lines.first ?? [] }
        let longest = lines.map(\.count).max() ?? 0
        return (0..<longest).flatMap { place in lines.compactMap { place < $0.count ? $0[place] : nil } }
    }
}
