// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A way to the results of a group. Celery's name for it.
public struct GroupResult<Element: Sendable>: Sendable {
    /// The id of the group.
    public let id: String
    /// A way to the result of each member, in their order.
    public let members: [AsyncResult<Element>]
    /// The id of the workflow that it is the end of, where that was sent here; see ``Chard/workflow(_:)``.
    public internal(set) var workflowID: String?

    /// How far a group has come.
    public struct Progress: Sendable, Hashable, CustomStringConvertible {
        /// How many members there are.
        public var total: Int
        /// How many have succeeded.
        public var succeeded: Int
        /// How many have failed or were revoked.
        public var failed: Int

        /// How many have ended, one way or the other.
        public var done: Int { succeeded + failed }
        /// `7 of 12 done, 1 failed`.
        public var description: String { "\(done) of \(total) done" + (failed > 0 ? ", \(failed) failed" : "") }
    }

    /// How far it is now.
    public func progress() async throws -> Progress {
        var progress = Progress(total: members.count, succeeded: 0, failed: 0)
        for status in try await statuses() where status.state.isReady {
            if status.state == .success { progress.succeeded += 1 } else { progress.failed += 1 }
        }
        return progress
    }

    /// The status of each member as it is now, in their order.
    public func statuses() async throws -> [TaskStatus] {
        try await withThrowingTaskGroup(of: (Int, TaskStatus).self) { group in
            var statuses = members.map { TaskStatus(id: $0.id, state: .pending) }
            var next = 0
            func add() {
                guard next < members.count else { return }
                let index = next
                next += 1
                group.addTask { (index, try await members[index].status()) }
            }
            // So many questions under way as a connection carries well.
            for _ in 0..<64 { add() }
            while let (index, status) = try await group.next() {
                statuses[index] = status
                add()
            }
            return statuses
        }
    }

    /// Waits for the results of all, in the order of the members.
    /// - Throws: The first failure there is, in time, as ``AsyncResult/value(timeout:)`` does; ``ResultTimeout``.
    public func values(timeout: Duration? = nil) async throws -> [Element] {
        var values: [Int: Element] = [:]
        for try await (index, outcome) in outcomes(timeout: timeout) { values[index] = try outcome.get() }
        return members.indices.compactMap { values[$0] }
    }

    /// What each member comes to, in the order in which they end: its place, and its result or failure. Ends with the last
    /// of them, or with an error if the broker refuses or the time is over.
    public func outcomes(
        timeout: Duration? = nil
    ) -> AsyncThrowingStream<(Int, Result<Element, TaskError>), any Error> {
        AsyncThrowingStream { stream in
            let waiting = Task {
                do {
                    try await withThrowingTaskGroup(of: (Int, Result<Element, TaskError>).self) { group in
                        for (index, member) in members.enumerated() {
                            group.addTask {
                                do {
                                    return (index, .success(try await member.value(timeout: timeout)))
                                } catch let error as TaskError {
                                    return (index, .failure(error))
                                }
                            }
                        }
                        for try await outcome in group { stream.yield(outcome) }
                    }
                    stream.finish()
                } catch {
                    stream.finish(throwing: error)
                }
            }
            stream.onTermination = { _ in waiting.cancel() }
        }
    }

    /// Revokes every member that has not ended: what waits will not run, and with `terminating` what runs is cancelled.
    public func revoke(terminating: Bool = false) async throws {
        guard let app = members.first?.app else { return }
        let open = try await statuses().filter { !$0.state.isReady }.map(\.id)
        try await app.operator.revoke(open, terminating: terminating)
    }
}

extension Chard {
    /// Sends a group.
    @discardableResult
    public func enqueue<Element: Sendable>(_ group: Group<Element>) async throws -> GroupResult<Element> {
        var canvas = group.canvas
        try canvas.checkDepth()
        canvas.freeze()
        let root = try await send(canvas)
        let last = canvas.last
        return GroupResult(
            id: last.options[.taskID].text ?? "",
            members: last.flatMembers.compactMap(\.resultID).map {
                AsyncResult(id: $0, placement: nil, app: self, prospect: .kept, decode: group.decode)
            }, workflowID: root)
    }

    /// A way to the results of a group whose id was kept, sent by any process.
    /// - Returns: `nil` if nothing is known of such a group, or of one that large: members of members are not looked into.
    public func groupResult<Element: Codable & Sendable>(
        of id: String, returning element: Element.Type
    ) async throws -> GroupResult<Element>? {
        guard let joins = try results.power(.joins), let text = try await joins.members(of: id),
            let members = try JSON(parsing: text, limits: .held)["result"]?[1]?.array
        else { return nil }
        return GroupResult(
            id: id,
            members: members.compactMap { $0[0]?[0]?.string ?? $0[0]?.string }.map {
                AsyncResult(
                    id: $0, placement: nil, app: self, prospect: .kept, decode: OutputCoder<Element>.codable().decode)
            })
    }
}
