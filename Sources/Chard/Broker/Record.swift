// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// One change of a record: of values by name that are kept under an id beside the messages, and go by themselves.
///
/// A record is what a workflow's plan, its failures and the steps that a task's body has done are kept in. It is not read by what
/// writes it, so that many may write to one at once.
public struct RecordChange: Sendable, Hashable {
    /// What is done where there is no record of that id, and what becomes of it besides.
    public enum Kind: Sendable, Hashable {
        /// It is made, and is among those that ``RecordStore/listRecords(limit:)`` lists, the newest first.
        case list
        /// It is made.
        case keep
        /// Nothing is done.
        case amend
        /// The whole record goes, whatever the name.
        case forget
    }

    /// The id of the record.
    public var id: String
    /// What is done.
    public var kind: Kind
    /// The name of the value.
    public var name: String
    /// The value; `nil` takes the one away that is there.
    public var value: [UInt8]?
    /// How long the record is kept from now on, at least.
    public var timeToLive: Duration

    /// Makes a change.
    public init(_ kind: Kind, _ id: String, _ name: String, _ value: [UInt8]?, timeToLive: Duration) {
        self.id = id
        self.kind = kind
        self.name = name
        self.value = value
        self.timeToLive = timeToLive
    }

    /// Lets a whole record go.
    public static func forgetting(_ id: String) -> RecordChange {
        RecordChange(.forget, id, "", nil, timeToLive: .zero)
    }
}

/// A record among others.
public struct ListedRecord: Sendable, Hashable {
    /// Its id.
    public var id: String
    /// When it was made.
    public var since: Date

    /// Makes an entry of the list.
    public init(id: String, since: Date) {
        self.id = id
        self.since = since
    }
}

/// A broker that keeps records beside its messages, changed in the same steps: see ``Effect/record(_:)``.
public protocol RecordStore: Broker {
    /// Changes records, all of it or nothing where they are no more than a few hundred.
    func change(_ records: [RecordChange]) async throws

    /// All values of a record by their names; `nil` where there is none.
    func record(_ id: String) async throws -> [String: [UInt8]]?

    /// One value of a record.
    func value(_ name: String, of record: String) async throws -> [UInt8]?

    /// Takes a value away and writes effects, in one step, if the value is still this one.
    /// - Returns: Whether it was.
    func take(_ name: String, _ value: [UInt8], of record: String, writing effects: Effects) async throws -> Bool

    /// The records that were made to be listed, the newest first; those that are over may be among them. No more than 10,000
    /// are listed.
    func listRecords(limit: Int) async throws -> [ListedRecord]
}

extension RecordChange {
    /// How many records are listed at most.
    package static let mostListed = 10_000
    /// How long they are listed at most.
    package static let listedFor = Duration.seconds(30 * 86_400)
}
