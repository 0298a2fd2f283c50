// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The end of a member of a join, counted as Celery's workers count it; with the last of them, what follows. It says a
/// ``JoinAnswer``, or withholds its step with that.
///
/// The rule is that of `JoinFigures`. One thing comes on top: while a Celery worker has claimed to send what follows, nobody
/// else does, until it has, or its claim has expired.
///
/// - Keys: those of the join, see ``RedisKeys/join(_:)``.
/// - Arguments: the member's id; its place, `+inf` for none; `1` if it succeeded; its end as JSON; the TTL in ms (-1: none); what
///   follows in this step, `success` or `failure`, `first` where that does not wait for the others, or nothing; how many members
///   there are where it was not opened, or nothing.
enum JoinEffect {
    static let lua = """
        -- The end that was counted of a member in its place, if that is no success.
        local function failure(ends, id, place)
            local from = 0
            while true do
                local page = try('ZRANGEBYSCORE', ends, place, place, 'LIMIT', from, 100)
                if refused(page) or #page == 0 then return refused(page) and page or nil end
                for _, each in ipairs(page) do
                    local name, state = string.match(each, '^%[%s*1%s*,%s*(".-")%s*,%s*"(%u+)"%s*,')
                    local isRead, names = pcall(cjson.decode, '[' .. (name or '') .. ']')
                    if isRead and names[1] == id then return state ~= 'SUCCESS' and each or nil end
                end
                from = from + #page
            end
        end

        -- Keeps a join for so long from now on (-1: for ever).
        local function keep(ttl, ...)
            for _, each in ipairs({...}) do
                local reply = ttl < 0 and try('PERSIST', each) or try('PEXPIRE', each, ttl)
                if refused(reply) then return reply end
            end
        end

        effects.join = {keys = 6, arguments = 7, write = function()
            local claim, ends, counted, size, extra, group = key(), key(), key(), key(), key(), key()
            local id, place, success, json, ttl, closing, unopened =
                argument(), argument(), argument(), argument(), tonumber(argument()), argument(), tonumber(argument())
            local name = id .. ':' .. place
            local strings = try('MGET', claim, size, extra)
            local count, known = try('ZCARD', ends), try('SISMEMBER', counted, name)
            local former = known == 1 and success == '1' and failure(ends, id, place)
            local trouble = first(
                function() return strings end, function() return count end, function() return known end,
                function() return former end)
            if trouble then return trouble end

            local isClosed, total = strings[1] == 'done', tonumber(strings[2])
            -- A claim of Celery's ends by itself; without a number nobody could be told that he is the last.
            local isOdd
            if strings[1] and not isClosed then
                isOdd = try('PTTL', claim) == -1
                if not isOdd then return {withheld = {'claimed'}} end
            elseif not total and not isClosed then
                isOdd = strings[2] or not unopened and try('EXISTS', size) == 1
            end
            if isOdd then return {err = 'WRONGTYPE a key of the join ' .. group .. ' holds something else'} end
            total = total and total + (tonumber(strings[3]) or 0)
            if isClosed and not (total and former) then
                if closing == '' then return nil, nil, {'late'} end
                return {withheld = {'late'}}
            end
            count = count + 1 - known
            total = total or unopened
            local isLast = total and count >= total
            if isLast and closing == '' then return {withheld = {'last'}} end
            if not isLast and closing ~= '' and closing ~= 'first' then return {withheld = {'early'}} end

            -- As long as the ends are kept, and as long as Celery keeps it.
            local kept = ttl < 0 and ttl or math.max(ttl, 300000)
            if closing == 'success' then
                local refusal, back = put(claim, 'done', kept)
                return refusal, back, {'closed'}, function() try('UNLINK', ends, counted, size, extra) end
            end
            local undo = {}
            local function back()
                for n = #undo, 1, -1 do undo[n]() end
            end
            -- The ends and what was counted change together, or neither does.
            if former then
                trouble = first(
                    -- Whether an end may be removed is tried first.
                    function() return try('ZREM', ends, '') end, function() return try('ZADD', ends, place, json) end,
                    function() return try('ZREM', ends, former) end)
                undo[1] = function() return try('ZADD', ends, place, former), try('ZREM', ends, json) end
            elseif known == 0 then
                local added
                trouble = first(
                    function()
                        added = try('ZADD', ends, place, json)
                        return added
                    end, function() return try('SADD', counted, name) end)
                undo[1] = function()
                    if added == 1 and refused(try('ZREM', ends, json)) then return end
                    if refused(try('SREM', counted, name)) and added == 1 then try('ZADD', ends, place, json) end
                end
            end
            trouble = trouble or first(
                function()
                    if closing == '' and not isClosed then return end
                    local refusal, restore = put(claim, closing ~= '' and 'done', kept)
                    undo[#undo + 1] = restore
                    return refusal
                end,
                function() return keep(ttl, ends, counted, size, extra, group) end)
            if trouble then
                back()
                return trouble
            end
            return nil, back, closing == '' and {'counted', count, total} or {'closed'}
        end}

        """

    /// The ends of many members of one join that have succeeded, with their statuses, where none of them is the last and none was
    /// counted before: a chord of ten thousand asks and writes once for a batch what would be the same for each.
    static let members = """
        local function members()
            local drop = readCut()
            local claim, ends, counted, size, extra, group = key(), key(), key(), key(), key(), key()
            local ttl, kept, successes = argument(), tonumber(argument()), tonumber(argument())
            local keysEnd, argumentsEnd = keyAt + successes, argumentAt + successes * 4
            local count, total
            local trouble = drop(function()
                local strings = try('MGET', claim, size, extra)
                count = try('ZCARD', ends)
                local trouble = first(function() return strings end, function() return count end)
                if trouble then return trouble end
                total = tonumber(strings[2])
                total = total and total + (tonumber(strings[3]) or 0)
                if strings[1] or not total or count + successes >= total then return 0 end
                local names, texts, scored, statuses, isThere = {}, {}, {}, {}, {}
                for n = 1, successes do
                    local id, place, text = argument(), argument(), argument()
                    if isThere[id] then return 0 end
                    isThere[id] = true
                    names[n], texts[n], statuses[n] = id .. ':' .. place, text, argument()
                    scored[2 * n - 1], scored[2 * n] = place, text
                    local known = try('SISMEMBER', counted, names[n])
                    if known ~= 0 then return refused(known) and known or 0 end
                end
                local present = try('ZMSCORE', ends, unpack(texts))
                if refused(present) then return present end
                for n = 1, successes do
                    if present[n] then return 0 end
                end
                -- The ends and what was counted change together, or neither does.
                local function back()
                    if refused(try('ZREM', ends, unpack(texts))) then return end
                    if refused(try('SREM', counted, unpack(names))) then try('ZADD', ends, unpack(scored)) end
                end
                trouble = first(
                    function() return try('ZADD', ends, unpack(scored)) end,
                    function() return try('SADD', counted, unpack(names)) end,
                    function() return keep(kept, ends, counted, size, extra, group) end)
                for n = 1, successes do
                    trouble = trouble or store(key(), '1', ttl, statuses[n])
                end
                return trouble, back
            end)
            keyAt, argumentAt = keysEnd, argumentsEnd
            if trouble then return refused(trouble) and redis.error_reply(trouble.err) or trouble end
            return {successes, count, total}
        end

        """

    /// How many keys and arguments it is in a script's call, with its name.
    static let words = 14

    static func append(_ part: JoinPart, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append("join")
        for key in keys.join(part.group) { call.append(key: key) }
        call.append(part.member)
        call.append(part.place)
        call.append(part.isSuccess ? 1 : 0)
        call.append(part.end)
        call.append(part.timeToLive?.milliseconds ?? -1)
        switch part.closing {
        case .success: call.append("success")
        case .failure: call.append("failure")
        case .firstFailure: call.append("first")
        case nil: call.append("")
        }
        if let size = part.size { call.append(size) } else { call.append("") }
    }
}

extension JoinPart {
    /// Its place, as the sorted set of the ends has it.
    var place: String { index.map { "\($0)" } ?? "+inf" }
}

extension JoinAnswer {
    /// Reads what the effect says.
    init?(_ reply: [RESPValue]) {
        switch reply.first?.text {
        case "counted":
            guard let count = reply.dropFirst().first?.integer else { return nil }
            self = .counted(count, of: reply.dropFirst(2).first?.integer)
        case "last": self = .last
        case "closed": self = .closed
        case "early": self = .early
        case "late": self = .late
        case "claimed": self = .claimed
        default: return nil
        }
    }
}
