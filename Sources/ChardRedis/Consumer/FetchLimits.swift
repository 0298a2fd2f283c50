// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How much the server is asked for at once, and which messages are too large to be asked for: a server may close a connection
/// whose answers exceed a limit of its own, which nobody else can see.
///
/// What has been moved into the leased list stays there when its answer is lost so, and is looked for. Each look that ends with
/// its connection asks for less at a time the next time, down to single messages. One that the server will not send, however
/// often it is asked for alone, is not sent for again, nor is what has its size or more: their excerpts will do, and they are put
/// aside as too large. A value that is told what has come of looks.
struct FetchLimits: Sendable {
    /// How often a single message is asked for in vain.
    static let patience = 3
    /// Who asks for no more than this gets it from any server.
    static let least = 16_384

    /// After how many bytes no further message is asked for.
    private(set) var bytes: Int
    /// Of how many bytes on a message is not asked for.
    private(set) var message: Int
    /// The message that was asked for alone, by its list and place, and how often in vain.
    private var stuck: (list: String, index: Int)?
    private var failures = 0

    init(message: Int, bytes: Int = RedisAccess.batchBytes) {
        self.message = message
        self.bytes = bytes
    }

    /// What to ask for in a look through a leased list, from this place on.
    func page(_ list: String, _ index: Int) -> (bytes: Int, message: Int) {
        isGivenUp(list, index) ? (1, min(message, Self.least)) : (bytes, message)
    }

    private func isGivenUp(_ list: String, _ index: Int) -> Bool {
        failures >= Self.patience && stuck?.list == list && stuck?.index == index
    }

    /// What to ask for in a claim, whose messages are mostly small.
    var claim: (bytes: Int, message: Int) { (max(bytes, 4 * Self.least), message) }

    /// The connection was closed when this place of a list was asked for. Returns whether to ask for less.
    @discardableResult
    mutating func closed(_ list: String, _ index: Int) -> Bool {
        // A server that does not even send an excerpt is away.
        if isGivenUp(list, index) { return false }
        guard bytes == 1 else {
            bytes = max(1, bytes / 64)
            return true
        }
        if stuck?.list != list || stuck?.index != index { failures = 0 }
        stuck = (list, index)
        failures += 1
        return true
    }

    /// A page has come from this place on, which ends with an excerpt of a message of this size, or with a whole message. Returns
    /// the size of a message that is given up.
    mutating func fetched(_ list: String, _ index: Int, excerptOf size: Int?) -> Int? {
        guard isGivenUp(list, index) else { return nil }
        failures = 0
        guard let size, size <= message else { return nil }
        message = size - 1
        bytes = max(Self.least, size / 8)
        return size
    }
}
