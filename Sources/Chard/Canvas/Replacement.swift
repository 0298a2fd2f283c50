// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A workflow that takes a task's place: its id, and whatever waits for it.
///
/// Thrown by `TaskContext.replace(by:)`; middleware sees it as what the body threw.
public struct Replacement: Error, Sendable, CustomStringConvertible {
    let canvas: Canvas
    /// What runs before that, where it waits for the members of a group at a join of our own.
    let gathering: Gathering?

    init(_ canvas: Canvas, after gathering: Gathering? = nil) {
        self.canvas = canvas
        self.gathering = gathering
    }

    /// The name of the first task of it.
    public var description: String { "replaced by \(canvas.task)" }

    /// How often a task may be replaced by one that is replaced in turn.
    static let most = 1_000
}
