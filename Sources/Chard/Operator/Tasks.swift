// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Operator {
    /// Single tasks: what an operator may do to one of them, wherever it is.
    public var tasks: Tasks { Tasks(app: app) }

    /// Single tasks in an app's broker, by their ids.
    public struct Tasks: Sendable {
        let app: Chard

        /// What became of ``retry(_:)``.
        public enum Retry: Sendable, Hashable {
            /// It had failed for good, and is sent again under its own id, with its attempts counted anew.
            case sentAgain
            /// It was a dead letter, and is back in its queue.
            case requeued
            /// It waited for its time, and runs now.
            case hastened
            /// It is a part of a workflow, which goes on from what had failed: these tasks were sent again.
            case workflow(String, [String])
            /// There is nothing to be done, or nothing that can be done: why.
            case nothing(String)

            /// Whether something runs that would not have.
            public var hasChanged: Bool { if case .nothing = self { false } else { true } }
        }

        /// Lets a task run again that has failed or died, or now if it waits for its time. It keeps its id, so that whoever waits for
        /// it gets the new end; of several who ask for the same at once, one sends it.
        ///
        /// What failed for good can be sent again for as long as its message is kept: see ``Settings/failedMessageLimit``. That of a
        /// Python worker's is not.
        @discardableResult
        public func retry(_ id: String) async throws -> Retry {
            let found = app.operator
            guard let record = try await found.find(id) else {
                return .nothing("no such task is known: it was never sent, or it is forgotten")
            }
            switch record.place {
            case .delayed:
                return try await found.delayedTasks.runNow(id)
                    ? .hastened : .nothing("its time has just come, or somebody else has changed it")
            case .dead(let letter):
                return try await found.deadLetters.requeue(letter.id)
                    ? .requeued : .nothing("somebody else has requeued or dropped it just now")
            case .waiting(let queue, _): return .nothing("it waits in the queue \(queue) already")
            case .leased(let queue, _, let worker, _):
                return .nothing("\(worker?.node ?? "a worker") has it, from the queue \(queue)")
            case .gone: return try await sendAgain(id, record)
            }
        }

        /// Sends a task again that has failed for good, if its message is kept.
        private func sendAgain(_ id: String, _ record: TaskRecord) async throws -> Retry {
            if record.state == "success" { return .nothing("it has succeeded") }
            if record.state == "revoked" { return .nothing("it was revoked, which holds: send it anew") }
            let root = record.rootID ?? id
            if try await app.workflow(root).report() != nil {
                return .workflow(root, try await app.workflow(root).retry())
            }
            guard let kept = try await app.operator.failure(of: id, root: root), let payload = kept.failure.message
            else {
                return .nothing(
                    "its message is not kept: it ran on a Python worker, has more than \(app.settings.failedMessageLimit) bytes, "
                        + "its time is over, or it is on its way again already")
            }
            let message = try app.fresh(payload, id: id, queue: kept.failure.queue)
            var effects: Effects = [.push(message)]
            // In the same step, so that whoever waits does not see the old failure, and no new end is lost. Results that are kept
            // elsewhere cannot be changed in it: there the old failure stands until the new end.
            if record.status != nil, !app.keepsResultsElsewhere {
                let pending = TaskStatus(id: id, state: .pending)
                effects.append(.store(StatusRecord(pending, timeToLive: app.settings.resultExpires)))
            }
            let isMine = try await app.broker.with(.records).take(kept.name, kept.value, of: root, writing: effects)
            return isMine ? .sentAgain : .nothing("somebody else has sent it again just now")
        }

        /// Sends the call of a task once more, as a task of its own, with other arguments where some are given. Nothing follows it:
        /// neither the callbacks of the first nor the rest of its chain.
        ///
        /// - Returns: The new task's id; `nil` where the message of the first is not at hand.
        public func sendCopy(of id: String, _ arguments: Arguments? = nil) async throws -> String? {
            let record = try await app.operator.find(id)
            guard let message = record?.message else { return nil }
            let arguments = try arguments ?? Arguments(message.decodeBody(limits: .held))
            var options = EnqueueOptions()
            options.queue = record?.queue
            options.priority = message.properties.priority
            return try await app.send(message.task, arguments, options: options).id
        }

        /// Calls a task off: what waits for its time is deleted, what waits in a queue is dropped when a worker takes it, and what
        /// runs is cancelled. Its state is REVOKED, for good.
        public func cancel(_ id: String) async throws {
            try await app.operator.revoke([id], terminating: true)
        }

        /// Deletes what is kept of a task that is over or dead: its status, its dead letter, its message. Returns whether there was
        /// anything. A task that waits or runs stays as it is.
        @discardableResult
        public func delete(_ id: String) async throws -> Bool {
            guard let record = try await app.operator.find(id) else { return false }
            switch record.place {
            case .dead(let letter):
                let isThere = try await app.operator.deadLetters.drop(letter.id)
                try await app.results.forget(id)
                return isThere
            case .gone:
                let root = record.rootID ?? id
                if let kept = try await app.operator.failure(of: id, root: root) {
                    _ = try await app.broker.with(.records).take(kept.name, kept.value, of: root, writing: [])
                }
                try await app.results.forget(id)
                return record.status != nil
            case .waiting, .delayed, .leased: return false
            }
        }
    }

    /// What is kept of a task that has failed for good, under which name, and as it is stored.
    func failure(
        of id: String, root: String
    ) async throws -> (name: String, value: [UInt8], failure: WorkflowRecord.Failure)? {
        guard let store = try app.recordStore else { return nil }
        let name = WorkflowRecord.Failure.prefix + id
        guard let value = try await store.value(name, of: root), let failure = WorkflowRecord.Failure(value) else {
            return nil
        }
        return (name, value, failure)
    }
}

extension Arguments {
    /// The arguments that a body has.
    init(_ body: MessageBody) throws {
        func value(_ text: ArraySlice<UInt8>) throws -> JSON { try JSON(parsing: Array(text), limits: .held) }
        self.init(
            try body.positional.map(value),
            keywords: try Dictionary(body.keywords.map { ($0.name, try value($0.value)) }) { _, last in last })
    }
}
