// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a command could not do what it was asked; a program's own commands may throw it too.
public struct CommandError: Error, Sendable, CustomStringConvertible {
    /// What happened and, where that is known, what to do about it; printed behind the program's name.
    public var description: String
    /// What the process exits with.
    public var status: CommandStatus

    /// Makes an error.
    public init(_ description: String, status: CommandStatus = .failed) {
        self.description = description
        self.status = status
    }
}
