// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A store of Chard's own, which says by itself which powers it has of those that every worker asks for.
///
/// A cast to a protocol is answered by Swift's runtime, which looks through all conformances of the program the first time that it is
/// asked about a type and a protocol: ten thousand in a program with the dashboard. For a value whose type is a protocol it does so
/// twice, first for that type. These answers are the compiler's. A store that conforms to this has nothing to write: each member is the
/// store itself where it has the power, else `nil`. One of another package does not conform, and is cast.
package protocol PoweredStore: ResultStore {
    /// This, as one that says what endangers tasks.
    var asDiagnosable: (any DiagnosableBroker)? { get }
    /// This, as one that keeps the history of tasks.
    var asHistoryStore: (any HistoryStore)? { get }
    /// This, as one that joins the members of groups.
    var asJoinStore: (any JoinStore)? { get }
    /// This, as one that carries remote control and events.
    var asMailbox: (any MailboxBroker)? { get }
    /// This, as one that keeps records of workflows.
    var asRecordStore: (any RecordStore)? { get }
    /// This, as one that lends its thread.
    var asThreadLending: (any ThreadLendingBroker)? { get }
}

extension PoweredStore {
    package var asDiagnosable: (any DiagnosableBroker)? { nil }
    package var asHistoryStore: (any HistoryStore)? { nil }
    package var asJoinStore: (any JoinStore)? { nil }
    package var asMailbox: (any MailboxBroker)? { nil }
    package var asRecordStore: (any RecordStore)? { nil }
    package var asThreadLending: (any ThreadLendingBroker)? { nil }
}

extension PoweredStore where Self: DiagnosableBroker {
    package var asDiagnosable: (any DiagnosableBroker)? { self }
}

extension PoweredStore where Self: HistoryStore {
    package var asHistoryStore: (any HistoryStore)? { self }
}

extension PoweredStore where Self: JoinStore {
    package var asJoinStore: (any JoinStore)? { self }
}

extension PoweredStore where Self: MailboxBroker {
    package var asMailbox: (any MailboxBroker)? { self }
}

extension PoweredStore where Self: RecordStore {
    package var asRecordStore: (any RecordStore)? { self }
}

extension PoweredStore where Self: ThreadLendingBroker {
    package var asThreadLending: (any ThreadLendingBroker)? { self }
}
