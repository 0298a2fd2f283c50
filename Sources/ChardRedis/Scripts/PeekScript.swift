// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Reads a list from its right end, and takes nothing.
    ///
    /// - KEYS: the list.
    /// - ARGV: how many messages at most; of how many bytes on only an excerpt of a message is returned; how many to pass over.
    /// - Returns: the messages or excerpts.
    ///
    /// A script for the sake of the excerpts: LRANGE would send the largest messages whole to somebody who only looks on.
    static let peek = RedisScript(
        lua.excerpt + """

            local seen = {}
            for i = 1, tonumber(ARGV[1]) do
                local message = redis.pcall('LINDEX', KEYS[1], -i - ARGV[3])
                if not message then break end
                if type(message) == 'table' then return message end
                seen[i] = excerpt(message, tonumber(ARGV[2]))
            end
            return seen
            """)
}
