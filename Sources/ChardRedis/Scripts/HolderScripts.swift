// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Makes a holder known, and gives it its lease.
    ///
    /// - KEYS: the holder's heartbeat, the hash of holders.
    /// - ARGV: the lease in ms, the identity, the holder as JSON, then the fields of the heartbeat.
    /// - Returns: the server's time.
    ///
    /// In one step, since a heartbeat without an end would never lapse. It begins with a write that changes nothing, so that a
    /// full server takes it.
    static let open = RedisScript(
        """
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        redis.call('HSET', KEYS[1], unpack(ARGV, 4))
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
        return redis.call('TIME')
        """)

    /// Renews a holder's lease, and tells it what it wants to know.
    ///
    /// - KEYS: the holder's heartbeat, the duty, the number of the orders, the mark of new ones, the hash of holders, then pairs of a waiting list that nobody is known to use and
    ///   the list of what is due that belongs to it.
    /// - ARGV: the lease in ms; the identity; for how many ms the duty is taken; the figures of its process as JSON; the number of
    ///   the orders that it keeps; or nothing while these stay the same; the holder as JSON, which is noted again where somebody
    ///   has deleted it.
    /// - Returns: the number of the orders, the server's time in seconds and microseconds, 1 or 0 for whether the holder is on
    ///   duty (-1 where the key is none that says so), and for whether there are new orders, then the places of those pairs of which one is there, from 0; or 0 if the lease has lapsed.
    ///
    /// In one step, since a heartbeat that has expired must not come back: somebody may have begun to give the holder's
    /// messages away.
    static let renew = RedisScript(
        """
        if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then return 0 end
        if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'vitals', ARGV[4]) end
        if ARGV[5] ~= '' then redis.call('HSET', KEYS[1], 'orders', ARGV[5]) end
        local onDuty, present = 0, redis.pcall('GET', KEYS[2])
        if type(present) == 'table' then
            onDuty = -1
        elseif present == ARGV[2] then
            redis.call('PEXPIRE', KEYS[2], ARGV[3])
            onDuty = 1
        elseif not present then
            redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
            onDuty = 1
        end
        local orders, time = redis.pcall('GET', KEYS[3]), redis.call('TIME')
        local answer = {
            type(orders) == 'string' and orders or '0', time[1], time[2], onDuty, redis.call('EXISTS', KEYS[4])
        }
        if redis.pcall('HEXISTS', KEYS[5], ARGV[2]) == 0 then redis.pcall('HSET', KEYS[5], ARGV[2], ARGV[6]) end
        for k = 6, #KEYS, 2 do
            if redis.call('EXISTS', KEYS[k], KEYS[k + 1]) > 0 then answer[#answer + 1] = (k - 6) / 2 end
        end
        return answer
        """)

    /// Renews a holder's lease, and notes the figures of its process: what most often changes, and nothing else is asked.
    ///
    /// - KEYS: the holder's heartbeat.
    /// - ARGV: the lease in ms; the figures as JSON.
    /// - Returns: 1, or 0 if the lease has lapsed.
    ///
    /// In one step, since a heartbeat that has expired must not come back. The renewal comes first, so that a full server takes the
    /// figures.
    static let tellVitals = RedisScript(
        """
        if redis.call('PEXPIRE', KEYS[1], ARGV[1]) == 0 then return 0 end
        redis.call('HSET', KEYS[1], 'vitals', ARGV[2])
        return 1
        """)

    /// Says which of several groups of keys hold anything.
    ///
    /// - KEYS: the groups, one after the other.
    /// - ARGV: how many keys are in each.
    /// - Returns: the places of the groups of which some key is there, from 0.
    ///
    /// A script only since there may be thousands of groups, and nearly none of them holds anything.
    static let occupied = RedisScript(
        """
        local size, found = tonumber(ARGV[1]), {}
        for first = 1, #KEYS, size do
            if redis.call('EXISTS', unpack(KEYS, first, first + size - 1)) > 0 then found[#found + 1] = (first - 1) / size end
        end
        return found
        """)

    /// Forgets a queue that holds nothing and that nobody has used for long.
    ///
    /// - KEYS: the known queues, then everything in which there may be messages of this one.
    /// - ARGV: the queue; since when nobody has used it, in seconds since 1970.
    /// - Returns: 1, or 0 if it stays known.
    ///
    /// In one step, so that a message which comes just now is not in a queue that nobody knows.
    static let forgetQueue = RedisScript(
        """
        local used = redis.call('ZSCORE', KEYS[1], ARGV[1])
        if not used or tonumber(used) > tonumber(ARGV[2]) then return 0 end
        if redis.call('EXISTS', unpack(KEYS, 2)) > 0 then return 0 end
        return redis.call('ZREM', KEYS[1], ARGV[1])
        """)

    /// Notes a task on its last chance.
    ///
    /// - KEYS: the holder's set of them.
    /// - ARGV: the id, for how many seconds the set is kept.
    ///
    /// In one step, so that the set has an end; and so that a full server takes it.
    static let noteLastChance = RedisScript(
        """
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        redis.call('SADD', KEYS[1], ARGV[1])
        redis.call('EXPIRE', KEYS[1], ARGV[2])
        """)

    /// Lets one process recover a lost holder.
    ///
    /// - KEYS: the mark of the recovery, the lost holder's heartbeat.
    /// - ARGV: who recovers, for how many ms nobody else does.
    /// - Returns: nothing if somebody else does so already.
    ///
    /// A script only so that a full server takes it: it begins with a write that changes nothing.
    static let lockRecovery = RedisScript(
        """
        redis.call('HDEL', KEYS[2], '')
        return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
        """)

    /// Hands back what a holder holds, uncounted, and ends its life.
    ///
    /// - KEYS: the holder's heartbeat, the hash of holders, the mark of its end, the duty, then pairs of a leased list and the
    ///   waiting list it is from.
    /// - ARGV: the identity, or nothing where more is to be handed back before its life ends; how many ms a blocking pop that
    ///   was lost sight of may still bring it messages (0: there is none): for so long the holder stays known, so that whoever
    ///   recovers it afterwards finds them; 1 if all before was handed back.
    /// - Returns: 1 if all was handed back, and all before; else 0.
    ///
    /// In one step, so that no message is handed back by the holder and recovered by another. It begins with a write that changes
    /// nothing, so that a full server takes it. A holder whose messages are not all taken back stays known, too.
    static let handBack = RedisScript(
        """
        redis.call('HDEL', KEYS[1], '')
        local isWhole = ARGV[3] == '1'
        for i = 5, #KEYS, 2 do
            while true do
                local moved = redis.pcall('LMOVE', KEYS[i], KEYS[i + 1], 'LEFT', 'RIGHT')
                if type(moved) == 'table' then isWhole = false end
                if type(moved) ~= 'string' then break end
            end
        end
        if ARGV[1] ~= '' then
            if redis.pcall('GET', KEYS[4]) == ARGV[1] then redis.call('DEL', KEYS[4]) end
            redis.call('DEL', KEYS[1])
            if ARGV[2] ~= '0' then
                redis.call('SET', KEYS[3], 1, 'PX', ARGV[2])
            elseif isWhole then
                redis.call('HDEL', KEYS[2], ARGV[1])
            end
        end
        return isWhole and 1 or 0
        """)
}
