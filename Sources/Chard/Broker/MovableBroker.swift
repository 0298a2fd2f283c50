// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A broker whose content can be taken to another one: what that needs beyond the other powers.
package protocol MovableBroker: InspectableBroker, DelayingBroker, ControllableBroker, SupervisedBroker,
    ScheduleStore, JoinStore, RecordStore
{
    /// The priorities of messages that a consumer holds, as steps, in the same order.
    func priorities(of deliveries: [Delivery]) async throws -> [Int]

    /// Keeps dead letters with their stories and times, each under its name or, where that is taken, under the name with a
    /// number behind it.
    func keep(_ letters: [DeadLetter]) async throws

    /// Some of the stored statuses as they are, with the time that they have left, and where the next ones begin: `nil` at
    /// the end. What is there from the first to the last call is seen, some of it perhaps twice.
    func storedStatuses(from place: String?) async throws -> (statuses: [StatusRecord], next: String?)

    /// Stores and publishes statuses of tasks that have none.
    func storeMissing(_ statuses: [StatusRecord]) async throws

    /// Deletes statuses that are still as they are here.
    func forget(_ statuses: [StatusRecord]) async throws

    /// The ids of revoked tasks, and until when each is remembered.
    func revocations() async throws -> [(id: String, until: Date)]

    /// Puts `record`, with its progress, in the place of the one of this name with this version (0: there must be none), in
    /// one step. Returns whether that was done; if not, the schedule was changed meanwhile.
    func keepWhole(_ record: ScheduleRecord, replacing version: Int) async throws -> Bool

    /// The groups of some joins, and where the next ones begin: `nil` at the end. Those that are there from the first to the last
    /// call are seen, some of them perhaps twice.
    func storedJoins(from place: String?) async throws -> (groups: [String], next: String?)

    /// A join as it is; `nil` where there is none.
    func storedJoin(of group: String) async throws -> MovedJoin?

    /// Keeps a join. Where there is one of this group that is over, nothing is changed, and otherwise only what is missing
    /// there is added.
    func keep(_ join: MovedJoin) async throws

    /// Lets joins go.
    func forgetJoins(of groups: [String]) async throws

    /// The ids of some records, and where the next ones begin: as ``storedJoins(from:)``.
    func storedRecords(from place: String?) async throws -> (ids: [String], next: String?)

    /// A record as it is; `nil` where there is none.
    func storedRecord(_ id: String) async throws -> MovedRecord?

    /// Keeps a record: of one that is there already what is missing.
    func keep(_ record: MovedRecord) async throws
}

extension StatusRecord {
    /// A status as a store has it: its bytes stay the same, whether or not they can be read.
    package init(of id: String, stored json: [UInt8], timeToLive: Duration?) {
        let status = try? TaskStatus(decoding: json, limits: JSONLimits(bytes: .max))
        self.init(TaskStatus(id: id, state: status?.state ?? .failure), timeToLive: timeToLive)
        self.json = json
    }
}
