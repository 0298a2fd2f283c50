// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// One value of a record, or the end of the whole.
///
/// That a record is listed, and that it goes, is done last, since it could not be brought back.
///
/// - Keys: the record, the list of records.
/// - Arguments: `list`, `keep`, `amend` or `forget`; the record's id; the name; the value, or nothing for none; for how many ms it is
///   kept at least; for how many seconds records are listed, and how many.
enum RecordEffect {
    static let lua = """
        effects.record = {keys = 2, arguments = 7, write = function()
            local record, list, kind, id, name, value = key(), key(), argument(), argument(), argument(), argument()
            local ttl, listed, most = tonumber(argument()), argument(), tonumber(argument())
            if kind == 'forget' then
                return nil, nil, nil, function()
                    try('UNLINK', record)
                    try('ZREM', list, id)
                end
            end
            local left, former = try('PTTL', record), try('HGET', record, name)
            local trouble = first(function() return left end, function() return former end)
            if trouble then return trouble end
            if kind == 'amend' and left == -2 then return end
            local function set(text)
                if text == '' or not text then return try('HDEL', record, name) end
                return try('HSET', record, name, text)
            end
            local function back()
                set(former)
                if left > 0 then try('PEXPIRE', record, left) end
            end
            trouble = first(
                function() return set(value) end,
                function() return left < ttl and left ~= -1 and try('PEXPIRE', record, ttl) end)
            if trouble then
                back()
                return trouble
            end
            if kind ~= 'list' then return nil, back end
            return nil, back, nil, function()
                local time = try('TIME')
                if refused(time) then return end
                local now = tonumber(time[1])
                if try('ZSCORE', list, id) == false then try('ZADD', list, now, id) end
                try('PEXPIRE', list, listed * 1000)
                try('ZREMRANGEBYSCORE', list, '-inf', now - listed)
                local count = try('ZCARD', list)
                if refused(count) or count <= most then return end
                local oldest = try('ZRANGE', list, 0, math.min(count - most, 1000) - 1)
                if not refused(oldest) then try('ZREM', list, unpack(oldest)) end
            end
        end}

        """

    /// How many keys and arguments it is in a script's call, with its name.
    static let words = 10

    static func append(_ change: RecordChange, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append("record")
        call.append(key: keys.record(change.id))
        call.append(key: keys.records)
        switch change.kind {
        case .list: call.append("list")
        case .keep: call.append("keep")
        case .amend: call.append("amend")
        case .forget: call.append("forget")
        }
        call.append(change.id)
        call.append(change.name)
        call.append(change.value ?? [])
        call.append(max(1, change.timeToLive.milliseconds))
        call.append(Int(RecordChange.listedFor.seconds))
        call.append(RecordChange.mostListed)
    }
}
