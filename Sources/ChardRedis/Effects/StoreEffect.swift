// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A status, stored and published: but nothing over a SUCCESS except another one, as Celery does. Twice is the same as once, so
/// it is never undone.
///
/// - Keys: the status, which is its channel, too.
/// - Arguments: `1` if the state is SUCCESS; the TTL in ms (0: none); the JSON.
enum StoreEffect {
    /// The function alone, for a script that stores plain successes and nothing else.
    static let function = """
        local function store(status, success, ttl, json)
            if success == '0' then
                local present = try('GET', status)
                if type(present) == 'string' and string.find(present, '^{"status": ?"SUCCESS"') then return end
            end
            local written
            if ttl == '0' then
                written = try('SET', status, json)
            else
                written = try('SET', status, json, 'PX', ttl)
            end
            if not refused(written) then written = try('PUBLISH', status, json) end
            return refused(written) and written or nil
        end

        """

    static let lua =
        function + """
            effects.store = {keys = 1, arguments = 3, write = function()
                return store(key(), argument(), argument(), argument())
            end}

            """

    /// How many keys and arguments it is in a script's call, with its name.
    static let words = 5

    static func append(_ status: StatusRecord, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append("store")
        append(fieldsOf: status, to: &call, keys)
    }

    /// Adds the key and the arguments, without the effect's name.
    static func append(fieldsOf status: StatusRecord, to call: inout ScriptCall, _ keys: RedisKeys) {
        call.append(key: keys.status(status.id))
        call.append(status.state == .success ? 1 : 0)
        call.append(status.timeToLive?.milliseconds ?? 0)
        call.append(status.json)
    }
}
