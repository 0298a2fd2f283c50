// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// Says what the code of this app has. Schedules that an earlier version of it had are forgotten.
    /// - Throws: ``AppError`` if another app has one of the same name.
    func registerSchedules() async throws {
        let store = try broker.with(.schedules)
        let own = ownSchedules
        var isDone = false
        while !isDone {
            isDone = true
            let records = try await store.schedules().records
            for schedule in own {
                let present = records.first { $0.name == schedule.name }
                // What another version of Chard has written is not overwritten by one that merely happens to start.
                if present?.unreadable != nil { continue }
                if let other = present?.app, other != name {
                    throw AppError("schedule \(schedule.name): \(other) has one of that name already; give it another")
                }
                var record = present ?? ScheduleRecord(schedule.name)
                record.app = name
                // As it will be read, or every start would seem a change.
                record.code = try JSON.decode(Schedule.self, from: try JSON.encode(schedule))
                if record == present { continue }
                let isKept = try await store.keep(
                    record, replacing: present?.version ?? 0, restarting: record.hasOtherTicks(than: present))
                isDone = isDone && isKept
            }
            for record in records where record.app == name && !own.contains(where: { $0.name == record.name }) {
                isDone = try await store.forgetSchedule(record.name, version: record.version) && isDone
            }
        }
    }
}
