// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Puts a schedule in the place of the one with a certain version.
    ///
    /// - KEYS: the schedule, the set of all schedules, the number of the last change.
    /// - ARGV: the name; the version that is replaced (0: there must be none); the configuration; `1` if the ticks are to begin
    ///   from now.
    /// - Returns: 1, or 0 if the schedule has another version.
    ///
    /// In one step, so that two changes at the same time do not undo each other, and no scheduler that has read the number
    /// misses a change that came before it.
    static let keepSchedule = RedisScript(
        lua.milliseconds + """

            if (redis.call('HGET', KEYS[1], 'version') or '0') ~= ARGV[2] then return 0 end
            local version = redis.call('INCR', KEYS[3])
            redis.call('HSET', KEYS[1], 'version', version, 'configuration', ARGV[3])
            local last = redis.call('HGET', KEYS[1], 'last')
            if not last or (ARGV[4] == '1' and tonumber(last) < now) then
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

    /// Deals with ticks of a schedule: sends their messages, and notes how far it is now.
    ///
    /// - KEYS: the schedule.
    /// - ARGV: the version and the last tick that this was reckoned from; the tick that is the last one afterwards; the time
    ///   before which nothing happens; how many ticks are dropped; the id of the last task; then for each message its
    ///   waiting list and itself. Times are milliseconds since 1970.
    /// - Returns: 1 if it was done, 0 if its time has not come, -1 if the schedule is another or gone; the fields of the
    ///   progress if another scheduler was first.
    ///
    /// In one step: this is the fence by which each tick is sent once, by any number of schedulers, however long one of them
    /// stood still between reckoning and sending.
    static let tick = RedisScript(
        lua.milliseconds + """

            if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return -1 end
            if redis.call('HGET', KEYS[1], 'last') ~= ARGV[2] then
                return redis.call('HMGET', KEYS[1], 'last', 'tick', 'at', 'task', 'sent', 'dropped')
            end
            if now < tonumber(ARGV[4]) then return 0 end
            for i = 7, #ARGV, 2 do
                local pushed = redis.pcall('LPUSH', ARGV[i], ARGV[i + 1])
                if type(pushed) == 'table' then return pushed end
            end
            redis.call('HSET', KEYS[1], 'last', ARGV[3])
            if ARGV[5] ~= '0' then redis.call('HINCRBY', KEYS[1], 'dropped', ARGV[5]) end
            if #ARGV > 6 then
                redis.call('HSET', KEYS[1], 'tick', ARGV[3], 'at', string.format('%.0f', now), 'task', ARGV[6])
                redis.call('HINCRBY', KEYS[1], 'sent', (#ARGV - 6) / 2)
            end
            return 1
            """)
}

extension RedisScript.lua {
    /// The server's time, in whole milliseconds since 1970.
    static let milliseconds = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)

        """
}
