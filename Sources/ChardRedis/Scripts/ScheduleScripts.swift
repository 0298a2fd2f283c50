// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Adds messages to scheduled sets.
    ///
    /// - KEYS: the channel of due times.
    /// - ARGV: for each message the set, its hash, the queue, the due time in seconds since 1970, the id, and the message
    ///   behind the digit of its step.
    /// - Returns: how many were added.
    ///
    /// In one step, since an id without its message, or a message without its time, would never run.
    static let schedule = RedisScript(
        lua.schedule + """
            for i = 1, #ARGV, 6 do
                local trouble = schedule(ARGV[i], ARGV[i + 1], KEYS[1], unpack(ARGV, i + 2, i + 5))
                if trouble then return trouble end
            end
            return #ARGV / 6
            """)

    /// Moves what is due to the front of its queue, the earliest foremost.
    ///
    /// - KEYS: the scheduled set, its hash, then the queue's waiting lists by step of priority.
    /// - ARGV: how many to move at most.
    /// - Returns: how many were moved, and the microseconds until the next is due (-1: there is none).
    ///
    /// In one step, so that a message is in the set or on the queue, never in both or neither; by the server's clock, so
    /// that no worker's clock matters.
    static let promote = RedisScript(
        """
        local time = redis.call('TIME')
        local now = time[1] + time[2] / 1000000
        local due = redis.call('ZRANGE', KEYS[1], '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
        for i = #due, 1, -1 do
            local entry = redis.call('HGET', KEYS[2], due[i])
            if entry then
                redis.call('RPUSH', KEYS[3 + tonumber(string.sub(entry, 1, 1))], string.sub(entry, 2))
                redis.call('HDEL', KEYS[2], due[i])
            end
            redis.call('ZREM', KEYS[1], due[i])
        end
        local nextDue = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
        if not nextDue then return {#due, -1} end
        return {#due, math.ceil(math.max(0, (nextDue - now) * 1000000))}
        """)
}
