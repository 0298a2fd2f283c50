// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that somebody has ordered through a dashboard.
public struct AuditEntry: Sendable {
    /// Who it was; empty where the dashboard knows nobody by name.
    public var user: String
    /// What was ordered, such as `pause the queue`.
    public var deed: String
    /// Of what, by its name or id; empty where the deed says it all.
    public var target: String
    /// What came of it, as it was answered.
    public var outcome: String
    /// Whether something was changed.
    public var hasChanged: Bool
}
