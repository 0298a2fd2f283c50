// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Deletes what waits in a queue.
    ///
    /// - KEYS: the waiting lists, then the delayed set and its hash where those are deleted, too.
    /// - ARGV: how many lists there are.
    /// - Returns: how many messages there were.
    ///
    /// In one step, or a message could slip in between uncounted. Not in a transaction: a server whose memory is full queues no
    /// commands.
    static let purge = RedisScript(
        """
        local count, lists = 0, tonumber(ARGV[1])
        for k = 1, #KEYS do
            local size = 0
            if k <= lists then size = redis.pcall('LLEN', KEYS[k]) end
            if k == lists + 1 then size = redis.pcall('ZCARD', KEYS[k]) end
            if type(size) == 'number' then count = count + size end
            redis.call('DEL', KEYS[k])
        end
        return count
        """)
}
