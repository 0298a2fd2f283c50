// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Stores and publishes statuses of tasks that have none.
    ///
    /// - KEYS: the status of each.
    /// - ARGV: for each its status as the storing effect takes it.
    ///
    /// In one step: what a worker stores in the meantime is newer.
    static let storeMissing = RedisScript(
        lua.effects + """
            for _ = 1, #KEYS do
                local status, success, ttl, json = key(), argument(), argument(), argument()
                local trouble = redis.call('EXISTS', status) == 0 and store(status, success, ttl, json)
                if trouble then return redis.error_reply(trouble.err) end
            end
            """)

    /// Puts a schedule with its progress in the place of the one with a certain version.
    ///
    /// - KEYS: the schedule, the set of all schedules, the number of the last change.
    /// - ARGV: the name; the version that is replaced (0: there must be none); the configuration; then the names and values of
    ///   the fields that tell the progress.
    /// - Returns: 1, or 0 if the schedule has another version.
    ///
    /// In one step, for the reasons of `keepSchedule`: and a scheduler that saw it without its progress would send ticks that
    /// were sent already.
    static let keepWholeSchedule = RedisScript(
        """
        if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[2] then return 0 end
        redis.call('DEL', KEYS[1])
        redis.call(
            'HSET', KEYS[1], 'version', redis.call('INCR', KEYS[3]), 'configuration', ARGV[3], unpack(ARGV, 4))
        redis.call('SADD', KEYS[2], ARGV[1])
        redis.call('PUBLISH', KEYS[3], ARGV[1])
        return 1
        """)

    /// Deletes the status at KEYS[1] if it is still ARGV[1].
    static let forgetSame = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)
}
