// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How far a task has come; an open set, for tasks may report states of their own.
public struct TaskState: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    /// The word that is stored.
    public let rawValue: String

    /// A state of any name, in capitals by custom.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Waiting, or unknown: never stored.
    public static let pending = TaskState(rawValue: "PENDING")
    /// Running.
    public static let started = TaskState(rawValue: "STARTED")
    /// Running, and the result says how far it is.
    public static let progress = TaskState(rawValue: "PROGRESS")
    /// Failed, and to be tried again.
    public static let retry = TaskState(rawValue: "RETRY")
    /// Done; the result is what the task returned.
    public static let success = TaskState(rawValue: "SUCCESS")
    /// Failed for good; the result is the error.
    public static let failure = TaskState(rawValue: "FAILURE")
    /// Called off, expired or ended by force; the result is the error.
    public static let revoked = TaskState(rawValue: "REVOKED")

    /// Whether nothing more will happen: success, failure or revoked.
    public var isReady: Bool { self == .success || self == .failure || self == .revoked }

    /// The word that is stored.
    public var description: String { rawValue }
}
