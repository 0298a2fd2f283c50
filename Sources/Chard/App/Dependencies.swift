// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// What tasks need besides their arguments: a database, a mailer, registered once with the app and found by type.
public final class Dependencies: Sendable {
    private let values = Mutex<[ObjectIdentifier: any Sendable]>([:])

    init() {}

    /// Registers a value under its type, or under `type` where it stands in for a protocol. A later one replaces it.
    public func register<Value: Sendable>(_ value: Value, as type: Value.Type = Value.self) {
        values.withLock { $0[ObjectIdentifier(type)] = value }
    }

    /// The value registered under `type`.
    /// - Throws: ``MissingDependency`` if the app registered none.
    public func get<Value: Sendable>(_ type: Value.Type = Value.self) throws(MissingDependency) -> Value {
        guard let value = values.withLock({ $0[ObjectIdentifier(type)] }) as? Value else {
            throw MissingDependency(type: String(describing: type))
        }
        return value
    }
}

/// A task asked for a dependency that its app does not have.
public struct MissingDependency: Error, Sendable, CustomStringConvertible {
    /// The name of the type that was asked for.
    public let type: String

    /// What is missing and how to add it.
    public var description: String {
        "no dependency of type \(type) is registered; add app.dependencies.register(...) before the worker starts"
    }
}
