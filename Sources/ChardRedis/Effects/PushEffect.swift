// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// A message at the end of its queue, or kept aside until its time.
///
/// - Keys: the waiting list; or the delayed set and its hash.
/// - Arguments: the message; or the channel of due times, the queue, the due time in seconds since 1970, the id, and the message
///   behind the least priority of its step.
enum PushEffect {
    static let lua = """
        effects.push = {keys = 1, arguments = 1, write = function()
            local list = key()
            local pushed = try('LPUSH', list, argument())
            if refused(pushed) then return pushed end
            return nil, function() try('LPOP', list) end
        end}

        -- An id that is delayed already gets a number behind it, so that a second message of the same task replaces nothing,
        -- but for the message that this step takes away. Workers are told when the earliest due time has changed.
        effects.delay = {keys = 2, arguments = 5, write = function(taken)
            local set, hash = key(), key()
            local channel, queue, due, id, entry = argument(), argument(), argument(), argument(), argument()
            local name, n = id, 1
            while name ~= taken.name do
                local exists = try('HEXISTS', hash, name)
                if refused(exists) then return exists end
                if exists == 0 then break end
                n = n + 1
                name = id .. '#' .. n
            end
            local function undo()
                if name == taken.name then
                    try('ZADD', set, taken.due, name)
                    try('HSET', hash, name, taken.entry)
                else
                    try('ZREM', set, name)
                    try('HDEL', hash, name)
                end
            end
            local trouble = first(
                function() return try('ZADD', set, due, name) end, function() return try('HSET', hash, name, entry) end,
                function()
                    local earliest = try('ZRANGE', set, 0, 0)
                    if refused(earliest) or earliest[1] ~= name then return earliest end
                    return try('PUBLISH', channel, queue)
                end)
            if trouble then
                undo()
                return trouble
            end
            if name == taken.name then taken.isKept = true end
            return nil, undo, name
        end}

        """

    static func append(_ message: OutgoingMessage, to call: inout ScriptCall, _ keys: RedisKeys, now: Double) {
        guard let dueAt = message.dueAt?.timeIntervalSince1970, dueAt > now else {
            call.append("push")
            call.append(key: keys.waiting(message.queue, step: keys.priorities.index(for: message.priority)))
            call.append(message.payload)
            return
        }
        call.append("delay")
        call.append(key: keys.delayed(message.queue))
        call.append(key: keys.delayedMessages(message.queue))
        call.append(keys.due)
        call.append(message.queue)
        call.append(dueAt)
        call.append(message.id)
        call.append(message.delayedEntry(keys.priorities))
    }
}

extension OutgoingMessage {
    /// The message behind a digit, the least priority of its step, as delayed messages are kept.
    func delayedEntry(_ priorities: PrioritySteps) -> [UInt8] {
        [UInt8(ascii: "0") + UInt8(priorities.steps[priorities.index(for: priority)])] + payload
    }
}
