// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardRedis

/// How a command ended, as scripts see it.
public struct CommandStatus: RawRepresentable, Hashable, Sendable {
    /// The number that the process exits with.
    public let rawValue: Int32

    /// Names a status.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// All is well: 0.
    public static let done = CommandStatus(rawValue: 0)
    /// The task failed, or the thing asked for is not there, or is not what it should be: 1.
    public static let failed = CommandStatus(rawValue: 1)
    /// Wrong usage or configuration: 2.
    public static let misused = CommandStatus(rawValue: 2)
    /// There was no result in time: 3.
    public static let timedOut = CommandStatus(rawValue: 3)
    /// The broker cannot be reached or used: 4.
    public static let unreachable = CommandStatus(rawValue: 4)

    /// The status that an error stands for; 1 for errors that are not Chard's.
    public init(_ error: any Error) {
        self =
            switch error {
            case let error as CommandError: error.status
            case let error as BrokerError:
                switch error.code {
                case .misconfigured: .misused
                // What is stored is not what it should be: no reason to try again, unless it is no broker that answers.
                case .damaged where (error.underlying as? RedisError)?.code != .protocolError: .failed
                default: .unreachable
                }
            case is AppError: .misused
            case is ResultTimeout: .timedOut
            default:
                switch RootCommand.exitCode(for: error) {
                case .validationFailure: .misused
                case let code: CommandStatus(rawValue: code.rawValue)
                }
            }
    }
}

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
