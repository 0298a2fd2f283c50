// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Moves what is due to the lists of what is due, the oldest first. Of each step whose waiting list is empty, the oldest
    /// goes on to that: whoever waits in a blocking pop gets it.
    ///
    /// - KEYS: the delayed set, its hash, then for each step of priority the list of what is due and the waiting list.
    /// - ARGV: how many to move at most; after how many bytes no further one is moved; how many waited that were due before,
    ///   when that was last seen (-1: that is unknown); for each priority, 0 to 9, the digit of its step, from 0.
    /// - Returns: how many were moved; the microseconds until the next is due (-1: there is none); how many are due and
    ///   wait; then the steps of which one went to its waiting list, an empty text, and by turns the names of what cannot be moved
    ///   and why.
    ///
    /// In one step, so that a message is in one place, never in two or none; by the server's clock, so that no worker's
    /// clock matters. What cannot be moved stays, and holds up nothing else.
    static let promote = RedisScript(
        lua.reading + lua.full + """
            local set, hash = key(), key()
            local room, bytes, known = tonumber(argument()), tonumber(argument()), tonumber(argument())
            local steps = argument()
            local time = redis.call('TIME')
            local now = time[1] + time[2] / 1000000
            local moved, stuck, lengths, isNew, nextDue = 0, {}, {}, {}, nil
            -- On a full server, after a write that changes nothing: it takes what follows, which makes as much room as it takes.
            local function write(...)
                local reply = try(...)
                if not isFull(reply) then return reply end
                try('LTRIM', KEYS[3], 0, -1)
                return try(...)
            end

            -- Returns why an entry stays, if it does.
            local function move(name)
                local entry = try('HGET', hash, name)
                if refused(entry) then return entry.err end
                if not entry then return 'its message is missing' end
                local digit = string.match(entry, '^%d')
                if not digit then return 'it is no message' end
                local step = tonumber(string.sub(steps, digit + 1, digit + 1))
                local list = KEYS[3 + step * 2]
                local pushed = write('LPUSH', list, string.sub(entry, 2))
                if refused(pushed) then return pushed.err end
                local removed = try('ZREM', set, name)
                if not refused(removed) then
                    removed = try('HDEL', hash, name)
                    if refused(removed) then try('ZADD', set, now, name) end
                end
                if refused(removed) then
                    try('LPOP', list)
                    return removed.err
                end
                bytes = bytes - #entry
                local k = 3 + step * 2
                lengths[k] = pushed
                isNew[k] = isNew[k] or pushed == 1
            end
            while moved < room and bytes > 0 do
                -- One more than may be moved, to know when the next is due.
                local first, count = #stuck / 2, math.min(room - moved, 50)
                local found = redis.call('ZRANGE', set, first, first + count, 'WITHSCORES')
                nextDue = nil
                for i = 1, #found, 2 do
                    nextDue = tonumber(found[i + 1])
                    if nextDue > now or bytes <= 0 or i > count * 2 then break end
                    local trouble = move(found[i])
                    if trouble then
                        stuck[#stuck + 1] = found[i]
                        stuck[#stuck + 1] = trouble
                    else
                        moved = moved + 1
                    end
                    nextDue = nil
                end
                if #found <= count * 2 or nextDue and nextDue > now or #stuck > 1000 then break end
            end

            local answer, waits = {moved, -1, 0}, 0
            for k = 3, #KEYS, 2 do
                if not lengths[k] and known ~= 0 then
                    local count = try('LLEN', KEYS[k])
                    lengths[k] = not refused(count) and count or 0
                end
                waits = waits + (lengths[k] or 0)
            end
            -- While those who claim take of it, nothing need be offered, and what is offered just then could be overtaken.
            local isStuck = known < 0 or waits == known + moved
            for k = 3, #KEYS, 2 do
                if (lengths[k] or 0) > 0 and (isStuck or isNew[k]) and try('EXISTS', KEYS[k + 1]) == 0
                    and not refused(write('LMOVE', KEYS[k], KEYS[k + 1], 'RIGHT', 'RIGHT')) then
                    answer[#answer + 1] = (k - 3) / 2
                    waits = waits - 1
                end
            end
            answer[3] = waits
            if nextDue then answer[2] = math.ceil(math.max(0, (nextDue - now) * 1000000)) end
            answer[#answer + 1] = ''
            for _, word in ipairs(stuck) do answer[#answer + 1] = word end
            return answer
            """)

    /// Takes back what was offered to those who wait in blocking pops, where nobody took it: behind newer messages it would lose
    /// its place.
    ///
    /// - KEYS: pairs of a list of what is due and the waiting list.
    /// - Returns: of how many nobody took what was offered.
    ///
    /// In one step, so that nothing is in two places. It must be another one than that which offers, since the server gives
    /// those who wait what came only when a script is over. On a full server it is done after a write that changes nothing.
    static let takeBack = RedisScript(
        lua.full + """
            local count = 0
            for k = 1, #KEYS, 2 do
                if redis.call('LLEN', KEYS[k + 1]) == 1 then
                    local moved = redis.pcall('LMOVE', KEYS[k + 1], KEYS[k], 'RIGHT', 'RIGHT')
                    if isFull(moved) then
                        redis.pcall('LTRIM', KEYS[k], 0, -1)
                        moved = redis.pcall('LMOVE', KEYS[k + 1], KEYS[k], 'RIGHT', 'RIGHT')
                    end
                    if type(moved) == 'table' then return moved end
                    count = count + 1
                end
            end
            return count
            """)
}
