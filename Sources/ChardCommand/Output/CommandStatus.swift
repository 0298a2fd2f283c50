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
                // Nobody need try again.
                case .tooLarge: .failed
                // What is stored is not what it should be: no reason to try again, unless it is no broker that answers.
                case .damaged where (error.underlying as? RedisError)?.code != .protocolError: .failed
                default: .unreachable
                }
            case is AppError: .misused
            case is ResultTimeout: .timedOut
            default:
                switch AnyArguments.exitCode(for: error) {
                case .validationFailure: .misused
                case let code: CommandStatus(rawValue: code.rawValue)
                }
            }
    }
}

/// ArgumentParser answers by way of a type, and the same whichever it is.
private struct AnyArguments: ParsableArguments {}
