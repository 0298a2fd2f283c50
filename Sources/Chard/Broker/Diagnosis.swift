// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that can say what about its server endangers tasks.
public protocol DiagnosableBroker: Broker {
    /// Looks at the server's settings and state: at what every worker warns of at its start.
    func diagnose() async throws -> [Finding]
    /// Looks at what takes longer: what this user may do, and what is kept in the broker. Without an implementation of its own,
    /// at nothing.
    func examine() async throws -> [Finding]
}

extension DiagnosableBroker {
    /// Looks at nothing.
    public func examine() async throws -> [Finding] { [] }
}

/// One thing that was looked at.
public struct Finding: Sendable, Hashable, Codable {
    /// How much it matters.
    public enum Severity: String, Sendable, Hashable, Codable {
        /// As it should be.
        case fine
        /// Tasks may be lost or late when something else goes wrong, too.
        case warning
        /// Tasks can be lost in normal operation.
        case danger
    }

    /// How much it matters.
    public var severity: Severity
    /// What was looked at, in a word or two.
    public var subject: String
    /// What was found.
    public var text: String
    /// How to mend it; empty where all is well.
    public var advice: String

    /// Makes a finding.
    public init(_ severity: Severity, _ subject: String, _ text: String, advice: String = "") {
        self.severity = severity
        self.subject = subject
        self.text = text
        self.advice = advice
    }
}
