// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Answers whoever has asked by remote control.
    ///
    /// - KEYS: the routing table of the exchange for answers, the list that the caller takes them from.
    /// - ARGV: the caller's entry in the table, the message, its time to live in ms.
    /// - Returns: 1 if the caller is still there.
    ///
    /// In one step, so that a caller who has just left gets nothing, and a list that nobody takes from goes by itself.
    static let answer = RedisScript(
        """
        if redis.call('SISMEMBER', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('LPUSH', KEYS[2], ARGV[2])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        return 1
        """)
}
