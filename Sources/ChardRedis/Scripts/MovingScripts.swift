// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Keeps a dead letter that another broker had.
    ///
    /// - ARGV: the message, the letter as the settling script takes it, the time of death in seconds since 1970.
    static let keepLetter = RedisScript(lua.bury + "return bury(unpack(ARGV))")

    /// Stores and publishes statuses of tasks that have none.
    ///
    /// - ARGV: for each the status as the storing function takes it.
    ///
    /// In one step: what a worker stores in the meantime is newer.
    static let storeMissing = RedisScript(
        lua.store + """

            for i = 1, #ARGV, 4 do
                if redis.call('EXISTS', ARGV[i]) == 0 then
                    local trouble = store(unpack(ARGV, i, i + 3))
                    if trouble then return trouble end
                end
            end
            """)

    /// Deletes the status at KEYS[1] if it is still ARGV[1].
    static let forgetSame = RedisScript(
        """
        if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
        return 0
        """)
}
