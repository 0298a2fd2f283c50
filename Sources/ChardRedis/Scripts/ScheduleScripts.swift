// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Puts a schedule in the place of the one with a certain version.
    ///
    /// - KEYS: the schedule, the set of all schedules, the number of the last change.
    /// - ARGV: the name; the version that is replaced (0: there must be none); the configuration; `1` if the ticks are to begin
    ///   from now; how many ms ahead the last tick must be to tell of a clock that was set back.
    /// - Returns: 1, or 0 if the schedule has another version.
    ///
    /// In one step, so that two changes at the same time do not undo each other, and no scheduler that has read the number
    /// misses a change that came before it.
    static let keepSchedule = RedisScript(
        lua.milliseconds + """

            if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[2] then return 0 end
            local version = redis.call('INCR', KEYS[3])
            redis.call('HSET', KEYS[1], 'version', version, 'configuration', ARGV[3])
            local last = tonumber(redis.call('HGET', KEYS[1], 'last') or '')
            if not last or (ARGV[4] == '1' and (last < now or last - now > tonumber(ARGV[5]))) then
                redis.call('HSET', KEYS[1], 'last', string.format('%.0f', now))
            end
            redis.call('SADD', KEYS[2], ARGV[1])
            redis.call('PUBLISH', KEYS[3], ARGV[1])
            return 1
            """)

    /// Forgets a schedule with a certain version.
    ///
    /// - KEYS: the schedule, the set of all schedules, the number of the last change.
    /// - ARGV: the name, the version.
    /// - Returns: 1, or 0 if the schedule has another version or is not there.
    ///
    /// In one step, for the same reasons.
    static let forgetSchedule = RedisScript(
        """
        if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
        redis.call('INCR', KEYS[3])
        redis.call('DEL', KEYS[1])
        redis.call('SREM', KEYS[2], ARGV[1])
        redis.call('PUBLISH', KEYS[3], ARGV[1])
        return 1
        """)
}
