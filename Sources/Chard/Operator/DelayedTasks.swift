// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Operator {
    /// The tasks in an app's broker that wait for their time.
    public struct DelayedTasks: Sendable {
        let app: Chard

        private var broker: any DelayingBroker {
            get throws { try app.broker.with(.delayedTasks) }
        }

        /// What waits for its time, in one queue or in all, the earliest first.
        public func list(in queue: String? = nil, limit: Int = 50) async throws -> [DelayedTask] {
            try await broker.delayedTasks(in: queue, limit: limit)
        }

        /// One delayed task, or `nil` if none of that id waits for its time.
        public func find(_ id: String) async throws -> DelayedTask? {
            try await broker.delayedTask(id)
        }

        /// Deletes a delayed task, with the state REVOKED. Returns whether it was there.
        ///
        /// Unlike ``Operator/revoke(_:terminating:timeToLive:)`` this says nothing about other messages of the same id.
        @discardableResult
        public func cancel(_ id: String) async throws -> Bool {
            let task = try await change(id) { task in
                // Who waits for it is told by a worker.
                guard let message = task.revokedWorkflow(in: app) else { return Effects(storing: status(of: task)) }
                return [.push(message)]
            }
            guard let task else { return false }
            if task.revokedWorkflow(in: app) == nil, let status = status(of: task) {
                try await app.storeElsewhere([status])
            }
            return true
        }

        /// The status that a task has once it is cancelled, if it is to have one.
        private func status(of task: DelayedTask) -> StatusRecord? {
            guard let message = task.message, message.ignoresResult != true else { return nil }
            return app.revokedStatus(of: message.id, task: message.task)
        }

        /// Moves a delayed task to another time. Returns whether it was there.
        @discardableResult
        public func move(_ id: String, to date: Date) async throws -> Bool {
            try await change(id) { task in
                [
                    .push(
                        OutgoingMessage(
                            id: task.name, queue: task.queue, priority: task.priority, dueAt: date,
                            payload: try task.payload(eta: date, in: app)))
                ]
            } != nil
        }

        /// Lets a delayed task run now, before all that waits in its queue. Returns whether it was there.
        @discardableResult
        public func runNow(_ id: String) async throws -> Bool {
            try await change(id) { [.putBack(as: try $0.payload(eta: nil, in: app))] } != nil
        }

        /// Changes a delayed task, again and again until nobody else changes it meanwhile. Returns it as it was, or `nil` if it
        /// was not there.
        private func change(_ id: String, _ body: (DelayedTask) throws -> Effects) async throws -> DelayedTask? {
            let broker = try broker
            while let task = try await broker.delayedTask(id) {
                if try await broker.change(task, try body(task)) { return task }
            }
            return nil
        }
    }
}

extension DelayedTask {
    /// The message with another ETA: workers go by that, too.
    fileprivate func payload(eta: Date?, in app: Chard) throws -> [UInt8] {
        guard let message else { return payload }
        return try app.changed(message) { $0.eta = eta }.encoded()
    }
}
