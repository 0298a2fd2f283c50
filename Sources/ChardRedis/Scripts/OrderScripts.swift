// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Revokes tasks.
    ///
    /// - KEYS: the revoked set, the number of the orders, their log, the mark of new ones.
    /// - ARGV: `1` if runs are to be cancelled, the time to live in seconds, `1` if ids that are revoked already are to be left
    ///   out, the ids.
    /// - Returns: How many ids the order names; of none there is no order.
    ///
    /// In one step, so that no worker reads the log before the change and the number after it, and of many who are told the same
    /// one gives the order.
    static let revoke = RedisScript(
        lua.announce + """

            local now, ids = redis.call('TIME')[1], {}
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
            for i = 4, #ARGV do
                if ARGV[3] ~= '1' or not redis.call('ZSCORE', KEYS[1], ARGV[i]) then
                    ids[#ids + 1] = ARGV[i]
                    redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i])
                end
            end
            if #ids == 0 then return 0 end
            redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] * 1000 + 1000)
            announce(KEYS[2], KEYS[3], KEYS[4], ARGV[1] == '1' and 'terminate' or 'revoke', now + ARGV[2], cjson.encode(ids))
            return #ids
            """)

    /// Pauses or resumes a queue.
    ///
    /// - KEYS: the set of paused queues, the number of the orders, their log, the mark of new ones.
    /// - ARGV: `SADD` or `SREM`, the queue.
    /// - Returns: 1 if that changes anything, and the number of the order.
    ///
    /// In one step, so that no worker reads the log before the change and the number after it.
    static let pause = RedisScript(
        lua.announce + """

            local changed = redis.call(ARGV[1], KEYS[1], ARGV[2])
            return {changed, announce(KEYS[2], KEYS[3], KEYS[4], ARGV[1] == 'SADD' and 'pause' or 'resume', 0, ARGV[2])}
            """)

    /// Says that a holder knows the orders up to a number, and takes nothing that these forbid.
    ///
    /// - KEYS: the holder's heartbeat.
    /// - ARGV: the number.
    ///
    /// In one step, since a heartbeat that has expired must not come back. It begins with a write that changes nothing, so that a
    /// full server takes it.
    static let acknowledge = RedisScript(
        """
        redis.call('HDEL', KEYS[1], '')
        return redis.call('EXISTS', KEYS[1]) == 1 and redis.call('HSET', KEYS[1], 'orders', ARGV[1])
        """)
}

extension RedisScript.lua {
    /// Counts a change of orders, notes it in the log, and tells of it. Returns its number.
    ///
    /// A log that does not take it, since somebody has set the number back, begins anew: workers notice the gap.
    static let announce = """
        local function announce(key, log, news, kind, till, what)
            local number = redis.call('INCR', key)
            local function note()
                return redis.pcall(
                    'XADD', log, 'MAXLEN', '~', 2000, string.format('%d-0', number), kind, till .. ' ' .. what)
            end
            if type(note()) == 'table' then
                redis.call('DEL', log)
                note()
            end
            redis.pcall('SET', news, 1, 'PX', 15000)
            redis.call('PUBLISH', key, string.format('%d', number))
            return number
        end

        """
}
