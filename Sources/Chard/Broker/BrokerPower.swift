// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that only some brokers can do: the protocol of those that can, and the words for those that cannot.
package struct BrokerPower<Able>: Sendable {
    /// Goes on where "the broker at ... cannot" ends.
    fileprivate let deed: String
    /// What a store of Chard's own says, where every worker asks.
    fileprivate var own: (@Sendable (any PoweredStore) -> Able?)?
}

extension BrokerPower<any InspectableBroker> {
    package static var inspection: Self { Self(deed: "be looked into") }
}

extension BrokerPower<any PeekableBroker> {
    package static var peeking: Self { Self(deed: "show messages") }
}

extension BrokerPower<any ControllableBroker> {
    package static var orders: Self { Self(deed: "keep orders: revoked tasks and paused queues") }
}

extension BrokerPower<any SupervisedBroker> {
    package static var supervision: Self { Self(deed: "declare a process lost") }
}

extension BrokerPower<any DelayingBroker> {
    package static var delayedTasks: Self { Self(deed: "show what waits for its time") }
}

extension BrokerPower<any ScheduleStore> {
    package static var schedules: Self { Self(deed: "keep schedules") }
}

extension BrokerPower<any RecordStore> {
    package static var records: Self { Self(deed: "keep records of workflows") { $0.asRecordStore } }
}

extension BrokerPower<any JoinStore> {
    package static var joins: Self { Self(deed: "join the members of a group") { $0.asJoinStore } }
}

extension BrokerPower<any DiagnosableBroker> {
    package static var diagnosis: Self { Self(deed: "say what endangers tasks") { $0.asDiagnosable } }
}

extension BrokerPower<any HistoryStore> {
    package static var history: Self { Self(deed: "keep the history of tasks") { $0.asHistoryStore } }
}

extension BrokerPower<any AsideStore> {
    package static var aside: Self { Self(deed: "put aside what is in the way") }
}

extension BrokerPower<any MovableBroker> {
    package static var moving: Self { Self(deed: "be moved from or to another") }
}

extension BrokerPower<any MailboxBroker> {
    package static var mailbox: Self {
        Self(deed: "reach workers by remote control; Redis can") { $0.asMailbox }
    }
    package static var events: Self { Self(deed: "carry events of workers; Redis can") { $0.asMailbox } }
}

extension BrokerPower<any ReplicatedBroker> {
    package static var replicas: Self { Self(deed: "wait for replicas") }
}

extension BrokerPower<any SharedBroker> {
    package static var sharing: Self { Self(deed: "share queues with workers of another kind") }
}

extension BrokerPower<any ConnectedBroker> {
    package static var connections: Self { Self(deed: "count connections") }
}

extension BrokerPower<any ThreadLendingBroker> {
    package static var threads: Self { Self(deed: "lend its thread") { $0.asThreadLending } }
}

extension BrokerPower<any StatusWatching> {
    package static var watching: Self { Self(deed: "tell of statuses by a callback") }
}

extension ResultStore {
    /// This store, as one that has a power; `nil` where it has not.
    package func power<Able>(_ power: BrokerPower<Able>) -> Able? {
        guard let own = power.own, let store = self as? any PoweredStore else { return self as? Able }
        return own(store)
    }

    /// This store, as one that has a power.
    /// - Throws: ``AppError`` that names the broker and what it cannot do.
    package func with<Able>(_ power: BrokerPower<Able>) throws(AppError) -> Able {
        guard let able = self.power(power) else { throw AppError("the broker at \(location) cannot \(power.deed)") }
        return able
    }
}
