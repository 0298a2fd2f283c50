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

    /// Adds to a join what is missing, unless it is over, or a Celery worker is just sending what follows.
    ///
    /// - KEYS: those of the join, see ``RedisKeys/join(_:)``.
    /// - ARGV: how many members, or nothing; what is stored of them, or nothing; the TTL in ms (-1: none); 1 if it is over; then
    ///   for each end its name and its place, and the end as JSON.
    /// - Returns: 1, or 0 if it is over.
    ///
    /// In one step: members may end here meanwhile.
    static let keepJoin = RedisScript(
        """
        local claim, ends, counted, size, extra, group = unpack(KEYS)
        if redis.call('EXISTS', claim) == 1 then return 0 end
        if ARGV[1] ~= '' then redis.call('SET', size, ARGV[1], 'NX') end
        if ARGV[2] ~= '' then redis.call('SET', group, ARGV[2], 'NX') end
        for n = 5, #ARGV, 3 do
            if redis.call('SADD', counted, ARGV[n]) == 1 then redis.call('ZADD', ends, ARGV[n + 1], ARGV[n + 2]) end
        end
        if ARGV[4] == '1' then redis.call('SET', claim, 'done') end
        for _, each in ipairs(KEYS) do
            if ARGV[3] == '-1' then redis.call('PERSIST', each) else redis.call('PEXPIRE', each, ARGV[3]) end
        end
        return 1
        """)

    /// Adds to a record what is missing.
    ///
    /// - KEYS: the record, the list of records.
    /// - ARGV: the record's id; for how many ms it is kept at least; when it was made, or nothing where it is not listed; for how many
    ///   seconds records are listed; then the names and values.
    static let keepRecord = RedisScript(
        """
        for n = 5, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[n], ARGV[n + 1]) end
        local left = redis.call('PTTL', KEYS[1])
        if left < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
        if ARGV[3] ~= '' then
            redis.call('ZADD', KEYS[2], 'NX', ARGV[3], ARGV[1])
            redis.call('EXPIRE', KEYS[2], ARGV[4])
        end
        return 1
        """)
}
