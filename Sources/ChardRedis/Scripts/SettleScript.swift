// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Settles a batch of deliveries, each fenced by its lease.
    ///
    /// - KEYS and ARGV, from left to right, for each part of the batch:
    ///   - `cut`: plain successes, by far the most that there is, that are all of a list's oldest messages but a few. KEYS: the
    ///     leased list, then the status of each. ARGV: how many of the list's oldest messages to drop, the size and the end of the
    ///     newest of these, how many of them stay, these, newest first; the TTL of the statuses in ms (0: none), how many they
    ///     are, then the JSON of each.
    ///   - `members`: the same of successes that are members of one join, of which none completes it. KEYS: the leased list, those
    ///     of the join, then the status of each. ARGV: as above up to those that stay; the TTLs of the statuses and of the join (-1:
    ///     none), how many they are; then for each its id, its place, its end as JSON, and the JSON of its status.
    ///   - `each`: plain successes of one list. KEYS: the leased list, then the status of each. ARGV: their TTL, how many they
    ///     are; then the message and the JSON of each.
    ///   - `step`: one settlement of any kind. KEYS: the leased list, then those of its effects. ARGV: the message or, of a
    ///     larger one, an excerpt; the message's size where it is an excerpt; its effects.
    ///   - `full`: the same, also where the memory is full: for what makes as much room as it takes.
    /// - Returns: for each settlement what its effects have to say (1: nothing), the same behind a 0 if they withhold it, 0 if it
    ///   was fenced, or the error that kept it from being written; for all of a `cut` together their number, or, where nothing was
    ///   dropped, 0 if the list does not stand as it should, or an error. For `members` the same, with how many the join had counted
    ///   before and how many are to end; and 0 also where each has to be settled by itself, since it may be the last or was
    ///   counted before.
    ///
    /// In one step, since a message whose result is stored must be gone, one that is gone must have its result and what
    /// follows stored, and neither may happen once another process owns it. The fence is that the message is in the leased
    /// list, or that the newest of a cut stands in its place: whoever takes messages away, from whichever end, leaves another
    /// one there, or none.
    package static let settle = RedisScript(
        lua.effects + lua.leased + lua.successes + JoinEffect.members + """

            local function settle(kind)
                local list, message, size = key(), argument(), argument()
                if kind == 'full' then try('LTRIM', list, 0, -1) end
                if size ~= '' then message = whole(list, size, message) end
                local holds = message and isLeased(list, message)
                if holds and not refused(holds) then
                    local said = step({message = message}, function() return try('LREM', list, -1, message) end)
                    return #said == 0 and not refused(said) and 1 or said
                end
                skip(tonumber(argument()))
                return refused(holds) and redis.error_reply(holds.err) or 0
            end
            local answers = {}
            while argumentAt < #ARGV do
                local kind = argument()
                if kind == 'step' or kind == 'full' then
                    answers[#answers + 1] = settle(kind)
                elseif kind == 'members' then
                    answers[#answers + 1] = members()
                else
                    succeedAll(kind, answers)
                end
            end
            return answers
            """)
}

extension RedisScript {
    /// Settles a batch of plain successes, as the script above, and nothing else: most batches are such, and a lone one is
    /// settled sooner by a script that has less to set up.
    package static let succeed = RedisScript(
        lua.reading + StoreEffect.function + lua.isLeased + lua.successes + """

            local answers = {}
            while argumentAt < #ARGV do succeedAll(argument(), answers) end
            return answers
            """)
}

extension RedisScript.lua {
    /// The ends of plain successes, in the two forms that the settling script knows.
    static let successes = """
        local function succeed(list, ttl)
            local message, status, json = argument(), key(), argument()
            local holds = isLeased(list, message)
            if refused(holds) then return redis.error_reply(holds.err) end
            if not holds then return 0 end
            local trouble = store(status, '1', ttl, json)
            if trouble then return redis.error_reply(trouble.err) end
            local taken = try('LREM', list, -1, message)
            return refused(taken) and redis.error_reply(taken.err) or 1
        end
        -- Reads which of a list's oldest messages are to be dropped. Returns what drops them, once `write` has written what
        -- comes of them: it returns an error, or 0 where nothing is to be dropped, or nothing; and how to undo it.
        local function readCut()
            local list, count, size, ending, kept =
                key(), tonumber(argument()), tonumber(argument()), argument(), tonumber(argument())
            local stay = argumentAt
            argumentAt = argumentAt + kept
            return function(write)
                local newest = try('LINDEX', list, -count)
                if refused(newest) then return newest end
                if not newest or #newest ~= size or string.sub(newest, -#ending) ~= ending then return 0 end
                local trouble, back = write()
                -- Those that stay are written over the newest that go, which are stored by now; none of them stands before
                -- its new place, so that none is overwritten before it was written again. Whether the list may be trimmed
                -- is tried first.
                trouble = trouble or kept > 0 and first(function() return try('LTRIM', list, 0, -1) end)
                for n = 1, kept do
                    trouble = trouble or first(function() return try('LSET', list, n - 1 - count, ARGV[stay + n]) end)
                end
                trouble = trouble or first(function() return try('LTRIM', list, 0, kept - count - 1) end)
                if trouble and back then back() end
                return trouble
            end
        end
        local function cut()
            local drop, ttl, successes = readCut(), argument(), tonumber(argument())
            local keysEnd, argumentsEnd = keyAt + successes, argumentAt + successes
            local trouble = drop(function()
                for _ = 1, successes do
                    local trouble = store(key(), '1', ttl, argument())
                    if trouble then return trouble end
                end
            end)
            keyAt, argumentAt = keysEnd, argumentsEnd
            return refused(trouble) and redis.error_reply(trouble.err) or trouble or successes
        end
        local function succeedAll(kind, answers)
            if kind == 'cut' then
                answers[#answers + 1] = cut()
                return
            end
            local list, ttl = key(), argument()
            for _ = 1, tonumber(argument()) do answers[#answers + 1] = succeed(list, ttl) end
        end

        """

    /// Whether a leased list holds a message.
    static let isLeased = """
        local function isLeased(list, message)
            return try('LPOS', list, message, 'RANK', -1)
        end

        """

    /// What is asked of a leased list. Of a message an excerpt may be known only.
    static let leased =
        excerpt + isLeased + """

            -- The message in a leased list of which an excerpt is known.
            local function whole(list, size, known)
                local length = try('LLEN', list)
                for i = 0, (refused(length) and 0 or length) - 1 do
                    local message = try('LINDEX', list, i)
                    if not refused(message) and #message == tonumber(size) and excerpt(message, 0)[2] == known then
                        return message
                    end
                end
            end

            """
}
