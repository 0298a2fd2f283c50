// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// An encoded status on its way into a result store.
public struct StatusRecord: Sendable, Hashable {
    /// The task's id.
    public var id: String
    /// The state, which decides what may be overwritten: a stored SUCCESS gives way only to a SUCCESS.
    public var state: TaskState
    /// Celery's JSON of the status.
    public var json: [UInt8]
    /// How long the store keeps it; `nil` means for ever.
    public var timeToLive: Duration?

    /// Makes a record of `status`.
    public init(_ status: TaskStatus, timeToLive: Duration?) {
        id = status.id
        state = status.state
        json = status.encoded()
        self.timeToLive = timeToLive
    }

    /// The status of a task that was revoked before it could start.
    public static func revoked(
        _ id: String, _ word: String = "revoked", at date: Date, timeToLive: Duration?
    ) -> StatusRecord {
        let error = TaskError("TaskRevokedError", word, module: "celery.exceptions")
        var status = TaskStatus(id: id, state: .revoked, result: error.info.json.encoded())
        status.dateDone = date
        return StatusRecord(status, timeToLive: timeToLive)
    }
}
