// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Operator {
    /// What workers can be asked and told while they work, by the methods of Celery's remote control: Python's workers and
    /// Swift's alike.
    ///
    /// ```swift
    /// for reply in try await app.operator.remote.ask("active_queues") { print(reply.node, reply.answer) }
    /// ```
    /// Only workers that listen at that moment hear it. Of the brokers, Redis carries it.
    public struct Remote: Sendable {
        let app: Chard

        private var broker: any MailboxBroker {
            get throws { try app.broker.with(.mailbox) }
        }

        /// Asks workers, and returns their answers by node name.
        ///
        /// - Parameters:
        ///   - method: The name of the command, one of Celery's or one of ours.
        ///   - arguments: What the command takes.
        ///   - workers: Who is asked.
        ///   - patience: How long to wait. Where the workers are named, no longer than until all of them have answered.
        public func ask(
            _ method: String, _ arguments: [String: JSON] = [:], of workers: WorkerChoice = .all,
            for patience: Duration = .seconds(1)
        ) async throws -> [ControlReply] {
            var count: Int?
            if case .nodes(let nodes) = workers { count = Set(nodes).count }
            return try await broker.ask(ControlRequest(method, arguments, of: workers), for: patience, expecting: count)
                .sorted { $0.node < $1.node }
        }

        /// Tells workers something, and does not wait for answers.
        public func tell(
            _ method: String, _ arguments: [String: JSON] = [:], of workers: WorkerChoice = .all
        ) async throws {
            try await broker.tell(ControlRequest(method, arguments, of: workers))
        }
    }
}
