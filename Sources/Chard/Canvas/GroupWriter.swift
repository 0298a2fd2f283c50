// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Adds members to the group that a task is in, while its worker holds it.
struct GroupWriter: GroupDesk {
    /// What signatures do not say.
    let rules: CanvasRules
    /// Writes all of it in one step; throws if another worker may own the task by now.
    let write: @Sendable (_ effects: Effects) async throws -> Void
}
