// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Revokes tasks and removes their scheduled copies.
    ///
    /// - KEYS: the revoked set, the number of the orders, then pairs of a scheduled set and its hash.
    /// - ARGV: `1` if runs are to be cancelled, the time to live in seconds, then for each task its id and its status as the
    ///   storing function takes it.
    /// - Returns: the ids of those whose scheduled copies were removed.
    ///
    /// In one step: a task must not be promoted between the removal of its scheduled copy and its revocation, and its
    /// status says REVOKED only if it will not run.
    static let revoke = RedisScript(
        lua.store + lua.announce + """

            local now, ids, removed = redis.call('TIME')[1], {}, {}
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
            for i = 3, #ARGV, 5 do
                local id = ARGV[i]
                ids[#ids + 1] = id
                redis.call('ZADD', KEYS[1], now + ARGV[2], id)
                for k = 3, #KEYS, 2 do
                    if redis.call('ZREM', KEYS[k], id) == 1 then
                        redis.call('HDEL', KEYS[k + 1], id)
                        store(unpack(ARGV, i + 1, i + 4))
                        removed[#removed + 1] = id
                    end
                end
            end
            redis.call('PEXPIREAT', KEYS[1], redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] * 1000 + 1000)
            announce(KEYS[2], ARGV[1] == '1' and ids or {})
            return removed
            """)

    /// Pauses or resumes a queue.
    ///
    /// - KEYS: the set of paused queues, the number of the orders.
    /// - ARGV: `SADD` or `SREM`, the queue.
    /// - Returns: 1 if that changes anything.
    ///
    /// In one step, so that no worker reads the set before the change and the number after it.
    static let pause = RedisScript(
        lua.announce + """

            local changed = redis.call(ARGV[1], KEYS[1], ARGV[2])
            announce(KEYS[2], {})
            return changed
            """)
}

extension RedisScript.lua {
    /// Counts a change of orders, and tells it together with the ids of runs to cancel.
    static let announce = """
        local function announce(key, ids)
            redis.call('INCR', key)
            redis.call('PUBLISH', key, #ids == 0 and '[]' or cjson.encode(ids))
        end

        """
}
