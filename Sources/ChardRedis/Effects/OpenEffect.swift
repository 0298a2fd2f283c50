// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A join, begun anew with the number of its members: in the form of a chord of Celery's Redis backend, whose workers may end
/// any of the members.
///
/// - Keys: those of the join, see ``RedisKeys/join(_:)``.
/// - Arguments: how many members; the TTL in ms (-1: none); the members as Celery keeps them where some are groups, or nothing; `1`
///   if one that is there begins anew, or nothing if it stays as it is.
enum OpenEffect {
    static let lua = """
        -- Puts a value in a string's place for so many ms (-1: for ever), or nothing. Returns what is refused, and how to undo it.
        local function put(name, value, ttl)
            local former, left = try('GET', name), try('PTTL', name)
            local function set(text, left)
                if not text then return try('UNLINK', name) end
                if left < 0 then return try('SET', name, text) end
                return try('SET', name, text, 'PX', math.max(left, 1))
            end
            local trouble = first(
                function() return former end, function() return left end, function() return set(value, ttl) end)
            return trouble, function() set(former, left) end
        end

        -- The ends of a join opened before are dropped last, since they could not be brought back.
        effects.open = {keys = 6, arguments = 4, write = function()
            local claim, ends, counted, size, extra, group = key(), key(), key(), key(), key(), key()
            local count, ttl, members, anew = argument(), tonumber(argument()), argument(), argument()
            if anew == '' then
                local isOver, isOpen = try('EXISTS', claim), try('EXISTS', size)
                local trouble = first(function() return isOver end, function() return isOpen end)
                if trouble or isOver == 1 or isOpen == 1 then return trouble end
            end
            local strings, undo = {{claim}, {extra}, {size, count}}, {}
            if members ~= '' then strings[4] = {group, members} end
            local function back()
                for n = #undo, 1, -1 do undo[n]() end
            end
            for _, each in ipairs(strings) do
                local trouble, restore = put(each[1], each[2], ttl)
                if trouble then
                    back()
                    return trouble
                end
                undo[#undo + 1] = restore
            end
            return nil, back, nil, function() try('UNLINK', ends, counted) end
        end}

        """

    /// How many keys and arguments it is in a script's call, with its name.
    static let words = 11

    static func append(_ join: JoinOpening, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append("open")
        for key in keys.join(join.group) { call.append(key: key) }
        call.append(join.size)
        call.append(join.timeToLive?.milliseconds ?? -1)
        call.append(join.members ?? [])
        call.append(join.beginsAnew ? "1" : "")
    }
}
