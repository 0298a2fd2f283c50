// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Functions that several scripts share. A script carries a copy of those it uses: it must not depend on what another
    /// one left on the server.
    enum lua {
        /// What a worker gets to see of a message: the message, or of one that is larger than it takes the size, and the
        /// beginning and end, where a name may be found.
        static let excerpt = """
            local function excerpt(message, limit)
                if #message <= limit then return message end
                return {#message, string.sub(message, 1, 4096) .. string.sub(message, -16384)}
            end

            """

        /// The message in a leased list of which an excerpt is known.
        static let whole = """
            local function whole(leased, size, known)
                for i = 0, redis.call('LLEN', leased) - 1 do
                    local message = redis.call('LINDEX', leased, i)
                    if #message == tonumber(size) and excerpt(message, 0)[2] == known then return message end
                end
            end

            """

        /// Adds a message to a scheduled set. An id that is scheduled already gets a number behind it, so that a second
        /// message of the same task replaces nothing. Workers are told when the earliest due time has changed.
        static let schedule = """
            local function schedule(set, hash, channel, queue, due, id, message)
                local name, n = id, 1
                while redis.call('HEXISTS', hash, name) == 1 do
                    n = n + 1
                    name = id .. '#' .. n
                end
                local added = redis.pcall('ZADD', set, due, name)
                if type(added) == 'table' then return added end
                local kept = redis.pcall('HSET', hash, name, message)
                if type(kept) == 'table' then
                    redis.call('ZREM', set, name)
                    return kept
                end
                if redis.call('ZRANGE', set, 0, 0)[1] == name then redis.call('PUBLISH', channel, queue) end
            end

            """

        /// Stores and publishes a status, but nothing over a SUCCESS except another one, as Celery does.
        static let store = """
            local function store(key, success, ttl, json)
                if success == '0' then
                    local present = redis.pcall('GET', key)
                    if type(present) == 'string' and string.find(present, '^{"status": ?"SUCCESS"') then return end
                end
                local written
                if ttl == '0' then
                    written = redis.pcall('SET', key, json)
                else
                    written = redis.pcall('SET', key, json, 'PX', ttl)
                end
                if written.err then return written end
                redis.call('PUBLISH', key, json)
            end

            """

        /// Keeps a dead letter under its name or, where that is taken, under the name with a number behind it. The message
        /// stands beside its story as it is: in base64, the largest would be more than Redis takes. It died now, unless a time
        /// is given.
        static let bury = """
            local function bury(message, prefix, id, set, json, ttl, kept, died)
                local name, n = id, 1
                while redis.call('EXISTS', prefix .. name) == 1 do
                    n = n + 1
                    name = id .. '#' .. n
                end
                local now = redis.call('TIME')[1]
                local added = redis.pcall('ZADD', set, died or now, name)
                if type(added) == 'table' then return added end
                local letter = json .. ',"id":' .. cjson.encode(name) .. '}'
                redis.call('HSET', prefix .. name, 'letter', letter, 'message', message)
                redis.call('PEXPIRE', prefix .. name, math.floor(ttl - (now - (died or now)) * 1000))
                redis.call('PEXPIRE', set, ttl)
                redis.call('ZREMRANGEBYSCORE', set, '-inf', now - ttl / 1000)
                local excess = redis.call('ZCARD', set) - kept
                if excess > 0 then
                    for _, old in ipairs(redis.call('ZRANGE', set, 0, excess - 1)) do
                        redis.call('DEL', prefix .. old)
                    end
                    redis.call('ZREMRANGEBYRANK', set, 0, excess - 1)
                end
            end

            """
    }
}
