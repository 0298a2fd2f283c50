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

        /// Whether a reply is that the memory is full. A server with no room takes what comes after a write of the same script
        /// that needs no room, even if that has changed nothing: what makes room in the end begins with one.
        static let full = """
            local function isFull(reply)
                return type(reply) == 'table' and reply.err and string.find(reply.err, '^-?OOM') ~= nil
            end

            """

        /// The server's time, in whole milliseconds since 1970.
        static let milliseconds = """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)

            """
    }
}
