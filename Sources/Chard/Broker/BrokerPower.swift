// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that only some brokers can do: the protocol of those that can, and the words for those that cannot.
package struct BrokerPower<Able>: Sendable {
    /// Goes on where "the broker at ... cannot" ends.
    fileprivate let deed: String
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

extension BrokerPower<any DelayingBroker> {
    package static var delayedTasks: Self { Self(deed: "show what waits for its time") }
}

extension BrokerPower<any ScheduleStore> {
    package static var schedules: Self { Self(deed: "keep schedules") }
}

extension BrokerPower<any RecordStore> {
    package static var records: Self { Self(deed: "keep records of workflows") }
}

extension BrokerPower<any DiagnosableBroker> {
    package static var diagnosis: Self { Self(deed: "say what endangers tasks") }
}

extension BrokerPower<any HistoryStore> {
    package static var history: Self { Self(deed: "keep the history of tasks") }
}

extension BrokerPower<any MovableBroker> {
    package static var moving: Self { Self(deed: "be moved from or to another") }
}

extension BrokerPower<any MailboxBroker> {
    package static var mailbox: Self { Self(deed: "reach workers by remote control; Redis can") }
}

extension BrokerPower<any MailboxBroker> {
    package static var events: Self { Self(deed: "carry events of workers; Redis can") }
}

extension Broker {
    /// This broker, as one that has a power.
    /// - Throws: ``AppError`` that names the broker and what it cannot do.
    package func with<Able>(_ power: BrokerPower<Able>) throws(AppError) -> Able {
        guard let able = self as? Able else { throw AppError("the broker at \(location) cannot \(power.deed)") }
        return able
    }
}
