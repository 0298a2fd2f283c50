// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A message among the dead letters of its queue: the one that the step takes away, under its name or, where that is taken, under
/// the name with a number behind it. It died now, unless a time is given.
///
/// The message stands beside its story as it is: in base64, the largest would be more than Redis takes. The newest are kept, up
/// to a number, each for its time.
///
/// - Keys: the queue's dead set, the hash of stories, the hash of messages.
/// - Arguments: the name; the letter as JSON without its closing brace and id; for how many ms it is kept; how many are kept; the
///   time of death in seconds since 1970 (empty: now).
enum BuryEffect {
    static let lua = """
        effects.bury = {keys = 3, arguments = 5, write = function(taken)
            local set, letters, messages = key(), key(), key()
            local id, story, ttl, kept, died = argument(), argument(), argument(), argument(), argument()
            local name, n = id, 1
            while true do
                local exists = try('HEXISTS', letters, name)
                if refused(exists) then return exists end
                if exists == 0 then break end
                n = n + 1
                name = id .. '#' .. n
            end
            local time = try('TIME')
            if refused(time) then return time end
            local now = time[1]
            local function drop(names)
                try('HDEL', letters, unpack(names))
                try('HDEL', messages, unpack(names))
                try('ZREM', set, unpack(names))
            end
            local trouble = first(
                function() return try('ZADD', set, died ~= '' and died or now, name) end,
                function() return try('HSET', letters, name, story .. ',"id":' .. cjson.encode(name) .. '}') end,
                function() return try('HSET', messages, name, taken.message) end)
            if trouble then
                drop({name})
                return trouble
            end
            local function tidy()
                for _, each in ipairs({set, letters, messages}) do try('PEXPIRE', each, ttl) end
                -- A thousand at a time: more than are added, so that what is old comes to an end.
                local old = try('ZRANGE', set, '-inf', now - ttl / 1000, 'BYSCORE', 'LIMIT', 0, 1000)
                if not refused(old) and #old > 0 then drop(old) end
                local count = try('ZCARD', set)
                if refused(count) or count <= tonumber(kept) then return end
                local oldest = try('ZRANGE', set, 0, math.min(count - kept, 1000) - 1)
                if not refused(oldest) then drop(oldest) end
            end
            return nil, function() drop({name}) end, name, tidy
        end}

        """

    static func append(
        _ letter: DeadLetter, to call: inout ScriptCall, _ keys: RedisKeys, _ settings: RedisSettings,
        died: Double? = nil
    ) {
        var story = letter
        story.payload = []
        var fields = (try? JSON(encoding: story))?.object ?? [:]
        fields["id"] = nil
        call.append("bury")
        call.append(key: keys.dead(letter.queue))
        call.append(key: keys.deadLetters(letter.queue))
        call.append(key: keys.deadMessages(letter.queue))
        call.append(letter.id.isEmpty ? TaskID.random() : letter.id)
        call.append(Array(JSON.object(fields).encoded().dropLast()))
        call.append(settings.deadLetterTimeToLive.milliseconds)
        call.append(settings.deadLetterLimit)
        if let died { call.append(died) } else { call.append("") }
    }
}
