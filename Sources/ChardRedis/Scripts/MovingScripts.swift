// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Keeps a dead letter that another broker had.
    ///
    /// - ARGV: the message, the letter as the settling script takes it, the time of death in seconds since 1970.
    static let keepLetter = RedisScript(lua.bury + "return bury(unpack(ARGV))")

    /// Stores and publishes statuses of tasks that have none.
    ///
    /// - ARGV: for each the status as the storing function takes it.
    ///
    /// In one step: what a worker stores in the meantime is newer.
    static let storeMissing = RedisScript(
        lua.store + """

            for i = 1, #ARGV, 4 do
                if redis.call('EXISTS', ARGV[i]) == 0 then
                    local trouble = store(unpack(ARGV, i, i + 3))
                    if trouble then return trouble end
                end
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
