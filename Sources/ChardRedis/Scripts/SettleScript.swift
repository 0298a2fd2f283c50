// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Settles a batch of deliveries, each fenced by its lease.
    ///
    /// - KEYS: the channel of due times.
    /// - ARGV: `c`, a leased list, a TTL in ms (0: none), a number of plain successes, by far the most that there is. They
    ///   are all of the list's oldest messages but a few: how many oldest to drop, the size and the end of the newest of
    ///   these, how many of them to put back, these, newest first; then for each success the status key and the JSON. Or `p`, list, TTL and number,
    ///   and for each plain success the message, the status key and the JSON. Or `g` and one settlement of any kind:
    ///   1. the leased list, the message, and what becomes of it: `f` finished, `r` returned, `d` dead; as a capital where
    ///      instead of the message an excerpt is given, followed by the message's size
    ///   2. `r`: the waiting list · `d`: the key that leads dead-letter keys, the letter's name, the queue's dead set, the
    ///      letter as JSON without its closing brace and id, its TTL in ms, how many letters are kept
    ///   3. the status key or the empty text; then `1` if the state is SUCCESS, the TTL in ms (0: none), the JSON
    ///   4. how many messages follow; for each the waiting list, or the scheduled set with its hash, due time, id, and the
    ///      message behind the digit of its step (`n list message` or `s set hash queue due id message`)
    /// - Returns: for each settlement 1 (written), 0 (fenced), or the error that kept it from being written; for all of `c`
    ///   together their number, or, where nothing was dropped, 0 if the list does not stand as it should, or an error.
    ///
    /// In one step, since a message whose result is stored must be gone, one that is gone must have its result and what
    /// follows stored, and neither may happen once another process owns it: the LREM is the fence, or the newest message
    /// in its place: whoever takes messages away, from whichever end, leaves another one there, or none.
    package static let settle = RedisScript(
        lua.excerpt + lua.whole + lua.schedule + lua.store + lua.bury + """

            local i, answers, call = 1, {}, redis.call
            local function take(n) i = i + n; return unpack(ARGV, i - n, i - 1) end
            local function succeed(leased, ttl, message, key, json)
                if call('LREM', leased, -1, message) == 0 then return 0 end
                local trouble = store(key, '1', ttl, json)
                if not trouble then return 1 end
                call('LPUSH', leased, message)
                return redis.error_reply(trouble.err)
            end
            local function drop()
                local leased, ttl, successes, count, size, ending, kept = take(7)
                local back = i
                i = i + kept
                local first = i
                i = i + 2 * successes
                local newest = call('LINDEX', leased, -count)
                if not newest or #newest ~= tonumber(size) or string.sub(newest, -#ending) ~= ending then return 0 end
                for at = first, i - 1, 2 do
                    local trouble = store(ARGV[at], '1', ttl, ARGV[at + 1])
                    if trouble then return redis.error_reply(trouble.err) end
                end
                -- First those that stay: what cannot be put back must not be dropped.
                local stay = {unpack(ARGV, back, first - 1)}
                call('LTRIM', leased, 0, -count - 1)
                if #stay > 0 then call('RPUSH', leased, unpack(stay)) end
                return tonumber(successes)
            end
            local function settle()
                local leased, message, fate = take(3)
                if fate < 'a' then
                    message, fate = whole(leased, take(1), message), string.lower(fate)
                end
                local ours = message and redis.call('LREM', leased, -1, message) == 1
                local trouble
                local function try(result)
                    if type(result) == 'table' and result.err then trouble = trouble or result.err end
                end
                if fate == 'r' then
                    local waiting = take(1)
                    if ours then try(redis.pcall('RPUSH', waiting, message)) end
                elseif fate == 'd' then
                    local letter, id, set, json, ttl, kept = take(6)
                    if ours then try(bury(message, letter, id, set, json, ttl, kept)) end
                end
                local key = take(1)
                if key ~= '' then
                    local success, ttl, json = take(3)
                    if ours then try(store(key, success, ttl, json)) end
                end
                for _ = 1, tonumber((take(1))) do
                    if take(1) == 'n' then
                        local waiting, follower = take(2)
                        if ours then try(redis.pcall('LPUSH', waiting, follower)) end
                    else
                        local set, hash, queue, due, id, follower = take(6)
                        if ours then try(schedule(set, hash, KEYS[1], queue, due, id, follower)) end
                    end
                end
                -- What could not be written whole stays leased: it is tried again, or recovered. At the end where messages
                -- come in: who reads the list from the other end must not meet one twice.
                if trouble then redis.call('LPUSH', leased, message) end
                return trouble and redis.error_reply(trouble) or (ours and 1 or 0)
            end
            while i <= #ARGV do
                local kind = take(1)
                if kind == 'c' then
                    answers[#answers + 1] = drop()
                elseif kind == 'p' then
                    local leased, ttl, count = take(3)
                    for _ = 1, tonumber(count) do
                        answers[#answers + 1] = succeed(leased, ttl, ARGV[i], ARGV[i + 1], ARGV[i + 2])
                        i = i + 3
                    end
                else
                    answers[#answers + 1] = settle()
                end
            end
            return answers
            """)
}
