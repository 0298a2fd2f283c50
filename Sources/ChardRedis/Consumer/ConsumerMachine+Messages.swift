// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ConsumerMachine {
    /// What may happen to a consumer.
    enum Event: Sendable {
        /// Somebody wants up to so many messages. Whoever wanted some before is not waiting any more.
        case claim(Int)
        /// Who waits in a claim is to go on without messages; or who does so next.
        case wake
        /// A claim's script was answered.
        case asked(ClaimAnswer)
        /// Large messages were asked for; nil if the connection ended before the answer.
        case taken(PopID, TakeAnswer?)
        /// A page of a leased list, oldest first, and empty at its end.
        case looked(Result<[Delivery], RedisError>)
        /// These were to go back, and nobody knows whether they did: the answer was lost.
        case returnsLost([Delivery])
        /// After ``Action/pause``.
        case pauseOver
        /// After ``Action/recallSoon``.
        case recallDue
        case connected(PopID, Bool)
        case popped(PopID, PopAnswer)
        /// After ``Action/rest(_:)``.
        case rested(PopID)
        /// The orders have changed, or may have.
        case ordersTold
        case ordersRead(Result<KnownOrders, RedisError>)
        /// After ``Action/pauseOrders``.
        case ordersPauseOver
        /// Once a second, with the time since when the client's connection is unbroken, if there is one.
        case beat(connectedSince: Instant?)
        case renewed(Renewal)
        case renewalFailed
        /// The server says that the lease has lapsed.
        case lapsed
        /// The identity is to be over.
        case lose
        case close
        /// After ``Action/closeSoon``.
        case closeDue
    }

    /// What a consumer has to do.
    enum Action: Sendable {
        /// The claim under way ends with this.
        case resume(Result<[Delivery], BrokerError>)
        case ask(ClaimRequest)
        case take(TakeRequest)
        /// Read a leased list, from this index on, counted from the oldest.
        case look(WaitingList, from: Int)
        /// Wait a moment before the next try.
        case pause
        /// Give the caller a moment to claim again before what nobody waits for is called back. Mostly it has done so already.
        case recallSoon
        /// To the front of their queues, the last of these first.
        case handBack([Delivery])
        case connect(PopID)
        case pop(PopID)
        case unblock([PopID])
        /// Wait a little before the pop is tried again.
        case rest(PopID)
        /// End the connections of all pops.
        case closePops
        case readOrders
        /// Wait a moment before the orders are read again.
        case pauseOrders
        /// The server is to know up to which number the orders are kept.
        case acknowledge(Int)
        /// Renew the lease, and ask whether there is anything in the lists of these pops.
        case renew(asking: [Int])
        /// Be the one who moves what is due, on behalf of all; or be it no more.
        case beOnDuty(Bool)
        case promote
        case lookForLost(isOnDuty: Bool)
        /// The identity is over.
        case tellLoss
        case closeSoon
        /// End all connections and timers, then hand back what is held.
        case end(hasLostSight: Bool)
        case report(Report)
    }

    /// What is worth a line in the log.
    enum Report: Sendable {
        case refused(RedisError)
        case queueRefused(list: String, RedisError, isNew: Bool)
        case adopted(Int)
        case standsStill
        /// The server closes the connection rather than send a message of this size.
        case unfetchable(Int)
    }
}
