// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Moves up to n messages from waiting lists into this process's leased lists.
    ///
    /// - KEYS: the process's heartbeat, the number of the orders, then pairs of a waiting list and the leased list that
    ///   belongs to it, in the order of service. Lists of one step of priority stand together.
    /// - ARGV: the number of the orders that this process knows; how many to move; how many pairs belong to one step; after
    ///   how many bytes no further one is moved; of how many bytes on only an excerpt of a message is returned.
    /// - Returns: the number of the orders, then pair number (from 1) and message or excerpt by turns; `false` if the lease has lapsed.
    ///   Nothing is moved while the process does not know the present orders: what they revoke or pause must not start. Why
    ///   the server lets nothing be moved is an error, unless it is that a key is no list. A full memory does not keep messages from
    ///   being moved: only what is claimed can be settled, which makes room.
    ///
    /// In one step, since with several queues and priorities nobody can know from outside which list the next message is
    /// in, and asking them one by one would take more messages than there is room for. Lists of a step are served in
    /// turn, one message each; a lower step only when the higher ones are empty.
    package static let claim = RedisScript(
        lua.excerpt + lua.full + """

            if redis.call('EXISTS', KEYS[1]) == 0 then return false end
            local orders = redis.pcall('GET', KEYS[2]) or '0'
            -- What is no number is found out by whoever reads the orders.
            if type(orders) == 'table' then orders = '-1' end
            if orders ~= ARGV[1] then return {orders} end
            local room, width, bytes, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
            local claimed, trouble = {orders}, nil
            for first = 1, #KEYS / 2 - 1, width do
                local open, left = {}, 0
                for pair = first, first + width - 1 do left = left + 1; open[left] = pair end
                while left > 0 and room > 0 do
                    local kept = 0
                    for i = 1, left do
                        if room == 0 then break end
                        local pair = open[i]
                        local message = redis.pcall('LMOVE', KEYS[pair * 2 + 1], KEYS[pair * 2 + 2], 'RIGHT', 'LEFT')
                        if isFull(message) then
                            redis.pcall('LTRIM', KEYS[pair * 2 + 2], 0, -1)
                            message = redis.pcall('LMOVE', KEYS[pair * 2 + 1], KEYS[pair * 2 + 2], 'RIGHT', 'LEFT')
                        end
                        if type(message) == 'table' then
                            -- A key that is no list must not keep the other queues from being served.
                            if string.sub(message.err, 1, 9) ~= 'WRONGTYPE' then trouble = message end
                        elseif message then
                            claimed[#claimed + 1] = pair
                            claimed[#claimed + 1] = excerpt(message, limit)
                            bytes = bytes - #message
                            room = bytes > 0 and room - 1 or 0
                            kept = kept + 1
                            open[kept] = pair
                        end
                    end
                    left = kept
                end
                if room == 0 then break end
            end
            if trouble and #claimed == 1 then return trouble end
            return claimed
            """)

    /// Reads what a leased list holds, from either end.
    ///
    /// - KEYS: the leased list.
    /// - ARGV: the first index, 0 for the newest or -1 for the oldest; the step to the next, 1 or -1; after how many bytes no
    ///   further one is read; of how many bytes on only an excerpt of a message is returned.
    /// - Returns: the messages or excerpts.
    ///
    /// A script for the sizes alone: LRANGE would send whatever there is, however large.
    static let held = RedisScript(
        lua.excerpt + """

            local at, bytes, limit = tonumber(ARGV[1]), tonumber(ARGV[3]), tonumber(ARGV[4])
            local held = {}
            while bytes > 0 do
                local message = redis.call('LINDEX', KEYS[1], at)
                if not message then break end
                held[#held + 1] = excerpt(message, limit)
                bytes = bytes - math.min(#message, limit)
                at = at + tonumber(ARGV[2])
            end
            return held
            """)
}
