// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Members that are added to a join, as Celery's `add_to_chord` counts them; none where it was not opened, or where what follows
/// was sent.
///
/// - Keys: those of the join, see ``RedisKeys/join(_:)``.
/// - Arguments: how many members.
enum GrowEffect {
    static let lua = """
        effects.grow = {keys = 6, arguments = 1, write = function()
            local claim, ends, counted, size, extra, group = key(), key(), key(), key(), key(), key()
            local count = argument()
            local isOver, ttl = try('EXISTS', claim), try('PTTL', size)
            local trouble = first(function() return isOver end, function() return ttl end)
            if trouble or isOver == 1 or ttl == -2 then return trouble end
            local function back() try('INCRBY', extra, -count) end
            trouble = first(function() return try('INCRBY', extra, count) end)
            if trouble then return trouble end
            trouble = ttl > 0 and first(function() return try('PEXPIRE', extra, ttl) end)
            if trouble then
                back()
                return trouble
            end
            return nil, back
        end}

        """

    /// How many keys and arguments it is in a script's call, with its name.
    static let words = 8

    static func append(_ growth: JoinGrowth, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append("grow")
        for key in keys.join(growth.group) { call.append(key: key) }
        call.append(growth.count)
    }
}
