// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Changes a scheduled message, if it is still what the caller has seen.
    ///
    /// - KEYS: the scheduled set, its hash, the channel of due times.
    /// - ARGV: the name, the entry as it was seen, and what to do: `c` cancel, with a status as the storing function takes it
    ///   or none; `m` move, with the queue, the due time and the new entry; `r` run, with the waiting list and the message.
    /// - Returns: 1, or 0 if the message was changed or has gone.
    ///
    /// In one step, so that a message which is promoted at the same moment runs once, as the one or as the other.
    static let changeScheduled = RedisScript(
        lua.store + """

            if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
            if ARGV[3] == 'm' then
                redis.call('ZADD', KEYS[1], ARGV[5], ARGV[1])
                redis.call('HSET', KEYS[2], ARGV[1], ARGV[6])
                redis.call('PUBLISH', KEYS[3], ARGV[4])
                return 1
            end
            if ARGV[3] == 'r' then
                local pushed = redis.pcall('RPUSH', ARGV[4], ARGV[5])
                if type(pushed) == 'table' then return pushed end
            end
            redis.call('ZREM', KEYS[1], ARGV[1])
            redis.call('HDEL', KEYS[2], ARGV[1])
            if ARGV[3] == 'c' and ARGV[4] then store(unpack(ARGV, 4, 7)) end
            return 1
            """)
}
