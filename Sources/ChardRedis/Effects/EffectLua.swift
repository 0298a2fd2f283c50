// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript.lua {
    /// The one way in which a script writes effects: first all of them, each so that it can be undone, and then what the step
    /// takes away is taken. So whatever the server refuses, and wherever it does, no message is gone.
    ///
    /// Keys and arguments are read from left to right, by `key()` and `argument()`; each effect knows how many are its own. The
    /// arguments of a list of effects: how many there are, then the name and the arguments of each. What a step takes is
    /// `taken`: its `message` and, of a delayed one, its `name`, `entry` and `due` time.
    static let effects =
        reading + "local effects = {}\n" + PushEffect.lua + PutBackEffect.lua + StoreEffect.lua + BuryEffect.lua
        + OpenEffect.lua + GrowEffect.lua + JoinEffect.lua + RecordEffect.lua + """
            -- Passes over the effects of a step that is fenced, or the rest of one that was refused.
            local function skip(count)
                for _ = 1, count do
                    local effect = effects[argument()]
                    keyAt, argumentAt = keyAt + effect.keys, argumentAt + effect.arguments
                end
            end

            -- Writes the effects that follow, then takes, then lets effects tidy up what cannot be brought back. Returns what
            -- the effects have to say, or the error that kept all of it from being done; or, where an effect withholds the step,
            -- 0 and what was said up to that.
            local function step(taken, take)
                local count, undo, said, tidying, trouble = tonumber(argument()), {}, {}, {}, nil
                for n = 1, count do
                    local effect = effects[argument()]
                    local keysEnd, argumentsEnd = keyAt + effect.keys, argumentAt + effect.arguments
                    local back, word, tidy
                    trouble, back, word, tidy = effect.write(taken)
                    keyAt, argumentAt = keysEnd, argumentsEnd
                    if trouble then
                        skip(count - n)
                        break
                    end
                    if back then undo[#undo + 1] = back end
                    if word then said[#said + 1] = word end
                    if tidy then tidying[#tidying + 1] = tidy end
                end
                trouble = trouble or first(take)
                if not trouble then
                    for _, tidy in ipairs(tidying) do tidy() end
                    return said
                end
                for n = #undo, 1, -1 do undo[n]() end
                if trouble.withheld then
                    said[#said + 1] = trouble.withheld
                    return {0, unpack(said)}
                end
                return redis.error_reply(trouble.err)
            end

            -- Takes an entry out of a sorted set and the hashes beside it, or out of none.
            local function takeEntry(name, set, ...)
                local score = try('ZSCORE', set, name)
                local removed = try('ZREM', set, name)
                if refused(removed) then return removed end
                local values = {}
                for _, hash in ipairs({...}) do
                    values[hash] = try('HGET', hash, name)
                    local dropped = try('HDEL', hash, name)
                    if refused(dropped) then
                        if type(score) == 'string' then try('ZADD', set, score, name) end
                        for each, value in pairs(values) do
                            if type(value) == 'string' then try('HSET', each, name, value) end
                        end
                        return dropped
                    end
                end
            end

            """

    /// Reads keys and arguments, and tells what the server refuses.
    static let reading = """
        local keyAt, argumentAt, try = 0, 0, redis.pcall
        local function key() keyAt = keyAt + 1; return KEYS[keyAt] end
        local function argument() argumentAt = argumentAt + 1; return ARGV[argumentAt] end
        local function refused(reply) return type(reply) == 'table' and reply.err ~= nil end
        -- The first of these that is refused; those behind it are not tried.
        local function first(...)
            for _, attempt in ipairs({...}) do
                local reply = attempt()
                if refused(reply) then return reply end
            end
        end

        """
}
