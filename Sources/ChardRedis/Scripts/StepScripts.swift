// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Writes effects, with no fence.
    ///
    /// - KEYS: those of the effects.
    /// - ARGV: the message that a letter is about, or nothing; the effects.
    /// - Returns: what the effects have to say, the same behind a 0 if they withhold the step, or the error that kept them from being
    ///   written.
    ///
    /// In one step, since a delayed message is an entry in a set and one in a hash, a status is kept and published, and a letter
    /// is three entries: one without the others would never be found.
    package static let write = RedisScript(
        lua.effects + "return step({message = argument()}, function() return true end)")

    /// Writes effects, if the process that reports them still has its lease.
    ///
    /// - KEYS: the process's heartbeat, then those of the effects.
    /// - ARGV: the effects.
    /// - Returns: what the effects have to say, 0 if the lease is gone, or an error.
    ///
    /// In one step, since a stored SUCCESS of another process, which owns the task by then, must not be overwritten.
    package static let report = RedisScript(
        lua.effects + """
            if redis.call('EXISTS', key()) == 0 then return 0 end
            return step({}, function() return true end)
            """)

    /// Gives one message of a lost process back, or puts it aside.
    ///
    /// - KEYS: the process's heartbeat, the leased list, then those of the effects.
    /// - ARGV: the message, or an excerpt of it; the message's size where it is an excerpt; the effects.
    /// - Returns: what the effects have to say, 0 if the message was gone already, -1 if the process lives after all, or an
    ///   error.
    ///
    /// In one step: between looking for the heartbeat and moving the message the process must not come back, and two
    /// recoverers must not move one message twice.
    static let recover = RedisScript(
        lua.effects + lua.leased + """
            local heartbeat, list, message, size = key(), key(), argument(), argument()
            if redis.call('EXISTS', heartbeat) == 1 then return -1 end
            -- A write that changes nothing, so that a full server takes the others: they make as much room as they take.
            try('LTRIM', list, 0, -1)
            if size ~= '' then message = whole(list, size, message) end
            local holds = message and isLeased(list, message)
            if not holds then return 0 end
            if refused(holds) then return redis.error_reply(holds.err) end
            return step({message = message}, function() return try('LREM', list, 1, message) end)
            """)

    /// Takes a delayed message away and writes effects, if it is still what the caller has seen.
    ///
    /// - KEYS: the delayed set, its hash, then those of the effects.
    /// - ARGV: the name, the entry as it was seen; the effects.
    /// - Returns: what the effects have to say, 0 if the message was changed or has gone, or an error.
    ///
    /// In one step, so that a message which is promoted at the same moment runs once, as the one or as the other.
    static let changeDelayed = RedisScript(
        lua.effects + """
            local set, hash, name, entry = key(), key(), argument(), argument()
            if redis.call('HGET', hash, name) ~= entry then return 0 end
            local taken = {
                name = name, entry = entry, due = redis.call('ZSCORE', set, name), message = string.sub(entry, 2)
            }
            return step(taken, function() return taken.isKept or takeEntry(name, set, hash) end)
            """)

    /// Puts an entry of a delayed set aside that is no message, if it is still what the caller has seen.
    ///
    /// - KEYS: the delayed set, its hash, then those of the effects.
    /// - ARGV: the name; what the hash has under it, or nothing; the effects.
    /// - Returns: what the effects have to say, 0 if the entry was changed or has gone, or an error.
    ///
    /// In one step, so that of several processes one puts it aside.
    static let putAsideDelayed = RedisScript(
        lua.effects + """
            local set, hash, name, entry = key(), key(), argument(), argument()
            if not redis.call('ZSCORE', set, name) or (redis.call('HGET', hash, name) or '') ~= entry then return 0 end
            return step({message = entry}, function() return takeEntry(name, set, hash) end)
            """)

    /// Takes delayed messages away, and stores the status of each that was there.
    ///
    /// - KEYS: how many pairs ARGV says of a delayed set and its hash, then the status of each task.
    /// - ARGV: how many pairs; then for each task its id and its status: as the storing effect takes it.
    /// - Returns: the ids of those that were there, or an error.
    ///
    /// In one step for each task, since its status says REVOKED only if it will not run.
    static let cancelDelayed = RedisScript(
        lua.effects + """
            local pairsEnd, cancelled = tonumber(argument()) * 2, {}
            keyAt = pairsEnd
            while argumentAt < #ARGV do
                local id, status = argument(), key()
                local success, ttl, json = argument(), argument(), argument()
                local isDelayed = false
                for k = 1, pairsEnd, 2 do
                    -- Further messages of the same task have a number behind the id; the ones before them may be gone.
                    local name, n, missing = id, 1, 0
                    while missing < 2 do
                        if redis.call('ZSCORE', KEYS[k], name) then
                            local trouble = store(status, success, ttl, json) or takeEntry(name, KEYS[k], KEYS[k + 1])
                            if trouble then return redis.error_reply(trouble.err) end
                            isDelayed = true
                        else
                            missing = missing + 1
                        end
                        n = n + 1
                        name = id .. '#' .. n
                    end
                end
                if isDelayed then cancelled[#cancelled + 1] = id end
            end
            return cancelled
            """)

    /// Takes a dead letter away and writes effects, if it is there.
    ///
    /// - KEYS: the queue's dead set, the hash of stories, the hash of messages, then those of the effects.
    /// - ARGV: the letter's name; the effects.
    /// - Returns: what the effects have to say, 0 if the letter was gone, or an error.
    ///
    /// In one step, so that two operators requeue it once.
    static let takeLetter = RedisScript(
        lua.effects + """
            local set, letters, messages, name = key(), key(), key(), argument()
            if redis.call('HEXISTS', letters, name) == 0 then return 0 end
            return step({}, function() return takeEntry(name, set, letters, messages) end)
            """)

    /// Takes a value of a record away and writes effects, if it is still this one.
    ///
    /// - KEYS: the record, then those of the effects.
    /// - ARGV: the name, the value; the effects.
    /// - Returns: what the effects have to say, 0 if the value is another or gone, or an error.
    ///
    /// In one step, so that of several who take it one does.
    static let takeValue = RedisScript(
        lua.effects + """
            local record, name, value = key(), argument(), argument()
            if redis.call('HGET', record, name) ~= value then return 0 end
            return step({}, function() return try('HDEL', record, name) end)
            """)

    /// Deals with ticks of a schedule: sends their messages, and notes how far it is now.
    ///
    /// - KEYS: the schedule, then those of the effects.
    /// - ARGV: the version and the last tick that this was reckoned from; the tick that is the last one afterwards; the time
    ///   before which nothing happens; how many ticks are dropped; how many are sent; the id of the last task; the effects. Times are
    ///   milliseconds since 1970.
    /// - Returns: what the effects have to say; 0 if its time has not come, -1 if the schedule is another or gone; the fields of
    ///   the progress, behind an empty text, if another scheduler was first; or an error.
    ///
    /// In one step: this is the fence by which each tick is sent once, by any number of schedulers, however long one of them
    /// stood still between reckoning and sending.
    static let tick = RedisScript(
        lua.effects + lua.milliseconds + """
            local schedule, version, last, upTo = key(), argument(), argument(), argument()
            local notBefore, dropped, sent, task = tonumber(argument()), argument(), argument(), argument()
            if redis.call('HGET', schedule, 'version') ~= version then return -1 end
            local progress = redis.call('HMGET', schedule, 'last', 'tick', 'at', 'task', 'sent', 'dropped')
            if progress[1] ~= last then return {'', unpack(progress)} end
            if now < notBefore then return 0 end
            return step({}, function()
                local fields = {'last', upTo, 'dropped', string.format('%.0f', (progress[6] or 0) + dropped)}
                if sent ~= '0' then
                    for _, field in ipairs({
                        'tick', upTo, 'at', string.format('%.0f', now), 'task', task,
                        'sent', string.format('%.0f', (progress[5] or 0) + sent)
                    }) do
                        fields[#fields + 1] = field
                    end
                end
                return try('HSET', schedule, unpack(fields))
            end)
            """)
}
