// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Operator {
    /// The schedules in an app's broker: those of programs, and those of the operator.
    ///
    /// What the operator changes holds until ``reset(_:)``, also when the program that registered a schedule starts again.
    /// Every scheduler knows of a change within moments, and no tick of what was before is sent after the call has returned.
    public struct Schedules: Sendable {
        let app: Chard

        private var store: any ScheduleStore {
            get throws { try app.broker.with(.schedules) }
        }

        /// All schedules by name, those that the operator removed from the code's among them.
        public func list() async throws -> [ScheduleRecord] {
            try await store.schedules().records
        }

        /// One schedule, or `nil` if there is none of that name.
        public func find(_ name: String) async throws -> ScheduleRecord? {
            try await list().first { $0.name == name }
        }

        /// The time by the broker's clock, which ticks go by.
        public func now() async throws -> Date {
            try await store.scheduleRevision().now
        }

        /// How many beats are running; `nil` where the broker cannot know.
        public func beats() async throws -> Int? {
            try await store.countBeats()
        }

        /// Adds a schedule of the operator's, or changes the one of that name.
        /// - Throws: ``AppError`` with all that is wrong with it.
        public func put(_ schedule: Schedule) async throws {
            let problems = schedule.problems() + [app.sizeProblem(of: schedule.call)].compactMap { $0 }
            guard problems.isEmpty else {
                throw AppError(problems.map { "schedule \(schedule.name): \($0)" }.joined(separator: "\n"))
            }
            _ = try await change(schedule.name, orMake: true, evenIfRemoved: true) { record in
                record.change = schedule
                record.isRemoved = false
                record.unreadable = nil
            }
        }

        /// Holds a schedule: no tick is sent until ``resume(_:)``, and none is caught up on. Returns whether there is one of that
        /// name.
        @discardableResult
        public func pause(_ name: String) async throws -> Bool {
            try await change(name) { $0.isPaused = true }
        }

        /// Lets a schedule go on, from now. Returns whether there is one of that name.
        @discardableResult
        public func resume(_ name: String) async throws -> Bool {
            try await change(name) { $0.isPaused = false }
        }

        /// Removes a schedule; one of the code's stays away until ``reset(_:)``. Returns whether there was one of that name.
        @discardableResult
        public func remove(_ name: String) async throws -> Bool {
            let store = try store
            while let record = try await find(name), record.schedule != nil || record.unreadable != nil {
                if record.code == nil {
                    if try await store.forgetSchedule(name, version: record.version) { return true }
                    continue
                }
                var removed = record
                removed.isRemoved = true
                removed.change = nil
                if try await store.keep(removed, replacing: record.version, restarting: false) { return true }
            }
            return false
        }

        /// Makes a schedule what the code says, and lets it go on. Returns whether the code has one of that name.
        @discardableResult
        public func reset(_ name: String) async throws -> Bool {
            guard let record = try await readable(name), record.code != nil else { return false }
            return try await change(name, evenIfRemoved: true) { record in
                record.change = nil
                record.isPaused = false
                record.isRemoved = false
            }
        }

        /// Sends the call of a schedule now, whether it is paused or not; its ticks go on as if nothing had been.
        /// - Returns: The task's id; `nil` if there is no schedule of that name.
        /// - Throws: ``MessageDropped`` if middleware leaves the call out.
        public func runNow(_ name: String) async throws -> String? {
            guard let record = try await readable(name), let schedule = record.schedule else { return nil }
            let message = try app.message(of: schedule, tick: nil, id: TaskID.random())
            let broker = try app.broker
            let enqueued = try await app.send([message], through: app.middleware[...]) { messages in
                Enqueued(messages, try await broker.send(messages.map { try app.outgoing(of: $0) }))
            }
            var places = SentPlaces(in: enqueued)
            guard let place = places.place(of: message.properties.deliveryTag, givenAt: 0) else {
                throw enqueued.drop(of: message)
            }
            return enqueued.messages[place].id
        }

        /// One schedule, to be changed or called as it is.
        /// - Throws: ``BrokerError`` with code `damaged` if it cannot be read.
        private func readable(_ name: String) async throws -> ScheduleRecord? {
            let record = try await find(name)
            if let damage = record?.damage { throw damage }
            return record
        }

        /// Changes a schedule, again and again until nobody else changes it meanwhile.
        private func change(
            _ name: String, orMake: Bool = false, evenIfRemoved: Bool = false, _ body: (inout ScheduleRecord) -> Void
        ) async throws -> Bool {
            let store = try store
            while true {
                let present = try await orMake ? find(name) : readable(name)
                guard orMake || present != nil, evenIfRemoved || present?.isRemoved != true else { return false }
                var record = present ?? ScheduleRecord(name)
                body(&record)
                if let present, record == present { return true }
                let restarts = record.hasOtherTicks(than: present)
                if try await store.keep(record, replacing: present?.version ?? 0, restarting: restarts) { return true }
            }
        }
    }
}
