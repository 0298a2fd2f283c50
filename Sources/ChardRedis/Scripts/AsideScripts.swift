// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension RedisScript {
    /// Puts keys aside that hold something else than they should.
    ///
    /// - KEYS: the hash of what was put aside, then by turns a key, and the one under which what it holds is found from then on.
    /// - ARGV: for each the type that it should be, the name under which it is noted, and the note.
    /// - Returns: the places of those for which that was done, from 0.
    ///
    /// In one step, so that of several processes one does it, and never to what another one has written since; noted before it
    /// is moved, so that nothing is out of sight.
    static let putAside = RedisScript(
        """
        local done = {}
        for k = 2, #KEYS, 2 do
            local n = k / 2 - 1
            local type = redis.call('TYPE', KEYS[k]).ok
            if type ~= 'none' and type ~= ARGV[n * 3 + 1] then
                redis.call('HSET', KEYS[1], ARGV[n * 3 + 2], ARGV[n * 3 + 3])
                redis.call('RENAME', KEYS[k], KEYS[k + 1])
                -- Of whatever was there nothing is to end by itself.
                redis.call('PERSIST', KEYS[k + 1])
                done[#done + 1] = n
            end
        end
        return done
        """)

    /// Puts back what was put aside.
    ///
    /// - KEYS: the hash of what was put aside, the key under which it is found, the one where it stood.
    /// - ARGV: its name.
    /// - Returns: 1; 0 if it is not there; -1 if something else has taken its place.
    ///
    /// In one step, so that nothing that came in the meantime is overwritten.
    static let restoreAside = RedisScript(
        """
        if redis.call('EXISTS', KEYS[2]) == 0 then
            redis.call('HDEL', KEYS[1], ARGV[1])
            return 0
        end
        if redis.call('EXISTS', KEYS[3]) == 1 then return -1 end
        redis.call('RENAME', KEYS[2], KEYS[3])
        redis.call('HDEL', KEYS[1], ARGV[1])
        return 1
        """)
}
