// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Renews a process's lease together with its figures. While these stay the same, a PEXPIRE does.
    ///
    /// - KEYS: the process's heartbeat.
    /// - ARGV: the lease in ms, the figures of the process as JSON.
    /// - Returns: 1, or 0 if the lease has lapsed.
    ///
    /// In one step, since a heartbeat that has expired must not come back: somebody may have begun to give the process's
    /// messages away.
    static let renew = RedisScript(
        """
        if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('HSET', KEYS[1], 'vitals', ARGV[2])
        return 1
        """)

    /// Gives one message of a lost process back, or puts it aside.
    ///
    /// - KEYS: the process's heartbeat, the leased list, the channel of due times.
    /// - ARGV: the message, or an excerpt of it, and the message's size where it is an excerpt; then `a`, the waiting list
    ///   and the message with its loss counted, or `d` and what the settling script takes for a dead letter and its status.
    /// - Returns: 1 if it was moved, 0 if it was gone already, -1 if the process lives after all.
    ///
    /// In one step: between looking for the heartbeat and moving the message the process must not come back, and two
    /// recoverers must not move one message twice.
    static let recover = RedisScript(
        lua.excerpt + lua.whole + lua.store + lua.bury + """

            if redis.call('EXISTS', KEYS[1]) == 1 then return -1 end
            local message = ARGV[1]
            if ARGV[2] ~= '' then message = whole(KEYS[2], ARGV[2], message) end
            if not message or redis.call('LREM', KEYS[2], 1, message) == 0 then return 0 end
            local trouble
            if ARGV[3] == 'a' then
                trouble = redis.pcall('RPUSH', ARGV[4], ARGV[5])
                if type(trouble) ~= 'table' then trouble = nil end
            else
                trouble = bury(message, unpack(ARGV, 4, 9))
                if not trouble and ARGV[10] ~= '' then store(unpack(ARGV, 10, 13)) end
            end
            -- What cannot go where it should stays where it was.
            if trouble then redis.call('LPUSH', KEYS[2], message) end
            return trouble or 1
            """)

    /// Hands back everything a process holds, uncounted, and ends its life.
    ///
    /// - KEYS: the process's heartbeat, the hash of processes, the mark of its end, then pairs of a leased list and the
    ///   waiting list it is from.
    /// - ARGV: the identity; how many ms a blocking pop that was lost sight of may still bring it messages (0: there is
    ///   none). For so long the process stays known, so that whoever recovers it afterwards finds them.
    /// - Returns: how many messages were handed back.
    ///
    /// In one step, so that no message is handed back by the process and recovered by another.
    static let handBack = RedisScript(
        """
        local count = 0
        for i = 4, #KEYS, 2 do
            while redis.call('LMOVE', KEYS[i], KEYS[i + 1], 'LEFT', 'RIGHT') do count = count + 1 end
        end
        redis.call('DEL', KEYS[1])
        if ARGV[2] == '0' then
            redis.call('HDEL', KEYS[2], ARGV[1])
        else
            redis.call('SET', KEYS[3], 1, 'PX', ARGV[2])
        end
        return count
        """)

    /// Stores statuses on the way, if the process that reports them still has its lease.
    ///
    /// - KEYS: the process's heartbeat; none if the writer holds no lease.
    /// - ARGV: for each status the key, `1` if the state is SUCCESS, the TTL in ms (0: none), the JSON.
    /// - Returns: 1, or 0 if the lease is gone.
    ///
    /// In one step, since a stored SUCCESS must not be overwritten.
    package static let store = RedisScript(
        lua.store + """

            if KEYS[1] and redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
            for i = 1, #ARGV, 4 do
                local trouble = store(unpack(ARGV, i, i + 3))
                if trouble then return trouble end
            end
            return 1
            """)

    /// Sends a dead letter's message to its queue again and forgets the letter.
    ///
    /// - KEYS: the letter, the queue's dead set, the waiting list.
    /// - ARGV: the letter's name, the message.
    /// - Returns: 1, or 0 if the letter was gone.
    ///
    /// In one step, so that two operators requeue it once.
    static let requeue = RedisScript(
        """
        if redis.call('EXISTS', KEYS[1]) == 1 then
            local pushed = redis.pcall('LPUSH', KEYS[3], ARGV[2])
            if type(pushed) == 'table' then return pushed end
        end
        redis.call('ZREM', KEYS[2], ARGV[1])
        return redis.call('DEL', KEYS[1])
        """)
}
