// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is known of the blocking, crash-safe pop on one waiting list, on a connection of its own: BLMOVE into the process's
/// leased list.
///
/// Each waits a few seconds only, so that a dead connection is noticed. A connection whose pop was given up is closed, never
/// reused: the server may still move a message for it, which then lies in the leased list all the same. So does one that is
/// larger than anybody takes: the connection is closed while it comes.
struct Pop: Sendable {
    enum Phase: Sendable, Hashable {
        case idle
        case connecting
        case blocked
        /// Its connection is used for large messages.
        case taking
        /// After trouble, for a moment.
        case resting
    }

    let list: WaitingList
    /// Whether it is waited for messages: not in the list of a priority that nobody uses.
    var isUsed: Bool
    var phase = Phase.idle
    var isConnected = false
    /// Whether the last pop brought the last message of its list.
    var isDrained = false
    /// Why the server refused the last pop, if it did.
    var refusal: RedisError.Code?

    init(_ list: WaitingList, isUsed: Bool) {
        self.list = list
        self.isUsed = isUsed
    }

    /// Whether the list is empty, or was once the last pop had taken its message.
    var knowsEmpty: Bool { !isUsed || phase == .blocked || phase == .idle && isDrained }

    /// Whether the server may be moving messages for it.
    var isUnderWay: Bool { phase == .blocked || phase == .taking }
}

/// Which pop something is about, and of which start of the intake: what an earlier one still hears is of no concern.
struct PopID: Sendable, Hashable {
    var index: Int
    var round: Int
}

/// How a pop ended.
enum PopAnswer: Sendable {
    /// `isLast` if the list had no other, and there were no orders that may be unknown.
    case message([UInt8], isLast: Bool)
    /// Its time was over, or it was called back.
    case nothing
    case refused(RedisError)
    /// The connection ended, and nobody knows whether a message was moved.
    case lost
}
