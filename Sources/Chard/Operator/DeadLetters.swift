// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Operator {
    /// The messages in an app's broker that could not be run, kept raw with their stories.
    public struct DeadLetters: Sendable {
        let app: Chard

        private var broker: any InspectableBroker {
            get throws { try app.broker.with(.inspection) }
        }

        /// Dead letters of one queue or of all, newest first, without their messages, which may be large.
        public func summaries(in queue: String? = nil, limit: Int = 50) async throws -> [DeadLetterSummary] {
            try await broker.deadLetterSummaries(in: queue, limit: limit)
        }

        /// Dead letters of one queue or of all, newest first, with their messages.
        public func list(in queue: String? = nil, limit: Int = 50) async throws -> [DeadLetter] {
            try await broker.deadLetters(in: queue, limit: limit)
        }

        /// One dead letter, or `nil` if there is none of that name.
        public func find(_ id: String) async throws -> DeadLetter? {
            try await broker.deadLetter(id)
        }

        /// Sends a dead letter's message back to its queue and forgets the letter. Returns whether it was there.
        @discardableResult
        public func requeue(_ id: String) async throws -> Bool {
            try await broker.requeueDeadLetter(id)
        }

        /// Deletes a dead letter, for good, and the files that it names, where the app keeps files. Returns whether it was there.
        @discardableResult
        public func drop(_ id: String) async throws -> Bool {
            let broker = try broker
            guard let keeper = app.fileKeeper else { return try await broker.dropDeadLetter(id) }
            let letter = try await broker.deadLetter(id)
            guard try await broker.dropDeadLetter(id) else { return false }
            if let letter { keeper.dropped(letter.payload) }
            await keeper.finish()
            return true
        }
    }
}
