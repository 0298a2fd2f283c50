// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// What tasks need besides their arguments: a database, a mailer, registered once with the app and found by type.
///
/// A value may be given as it is, or as a way to make it, which is gone only where it is needed: when a worker starts, or a
/// command of the program's own asks for the app (`withApp`), and not by a command that merely sends a task or looks at a queue.
///
/// ```swift
/// app.dependencies.register(Store.self, make: { try await Store(at: "shop.db") }, close: { try await $0.close() })
/// app.dependencies.register(Mailer.self, make: { Mailer() })
/// ```
public final class Dependencies: Sendable {
    private struct Recipe: Sendable {
        let key: ObjectIdentifier
        let name: String
        let make: @Sendable () async throws -> any Sendable
        let close: @Sendable (any Sendable) async throws -> Void
    }

    private struct State {
        var values: [ObjectIdentifier: any Sendable] = [:]
        /// In the order in which they were registered.
        var recipes: [Recipe] = []
        /// What was made, in this order.
        var made: [(recipe: Recipe, value: any Sendable)] = []
        var required: [ObjectIdentifier: String] = [:]
        var users = 0
        var opening: Task<Void, any Error>?
        var closing: Task<Void, Never>?
    }

    private let state = Mutex(State())

    init() {}

    // MARK: Registering

    /// Registers a value under its type, or under `type` where it stands in for a protocol. A later one replaces it, as it
    /// replaces a way to make one, which then is not gone: so a test puts its own in place of the real thing.
    public func register<Value: Sendable>(_ value: Value, as type: Value.Type = Value.self) {
        state.withLock { state in
            state.recipes.removeAll { $0.key == ObjectIdentifier(type) }
            state.values[ObjectIdentifier(type)] = value
        }
    }

    /// Registers a way to make a value, and to close it.
    ///
    /// Values are made in the order in which they were registered, so that one can be made with those before it, and closed
    /// in the reverse order, when the last worker or command has ended. A worker takes no task before all of them are made;
    /// if one cannot be, it ends with that error.
    public func register<Value: Sendable>(
        _ type: Value.Type, make: @escaping @Sendable () async throws -> Value,
        close: @escaping @Sendable (Value) async throws -> Void = { _ in }
    ) {
        let recipe = Recipe(key: ObjectIdentifier(type), name: String(describing: type), make: make) { value in
            if let value = value as? Value { try await close(value) }
        }
        state.withLock { state in
            if state.made.isEmpty { state.values[recipe.key] = nil }
            if let place = state.recipes.firstIndex(where: { $0.key == recipe.key }) {
                state.recipes[place] = recipe
            } else {
                state.recipes.append(recipe)
            }
        }
    }

    /// Says that the app's tasks cannot do without a value of this type. Where nobody has registered one, ``Chard/validate()``
    /// says so, and no worker starts.
    public func require<Value: Sendable>(_ type: Value.Type) {
        state.withLock { $0.required[ObjectIdentifier(type)] = String(describing: type) }
    }

    // MARK: Using

    /// The value registered under `type`.
    /// - Throws: ``MissingDependency`` if the app registered none, or it is not made yet.
    public func get<Value: Sendable>(_ type: Value.Type = Value.self) throws(MissingDependency) -> Value {
        let (value, isRegistered) = state.withLock { state in
            let key = ObjectIdentifier(type)
            if let value = state.values[key] { return (value as? Value, true) }
            return (nil, state.recipes.contains { $0.key == key })
        }
        guard let value else { throw MissingDependency(type: String(describing: type), isRegistered: isRegistered) }
        return value
    }

    /// Makes what is to be made, unless that is done. Workers, commands with `withApp` and test queues do it themselves; a
    /// program that runs none of them does it, and calls ``close()`` as often.
    /// - Throws: ``AppError`` that names what cannot be made.
    public func open() async throws {
        let opening = state.withLock { state in
            state.users += 1
            if state.users > 1, let opening = state.opening { return opening }
            let opening = Task { [closing = state.closing] in
                await closing?.value
                try await make()
            }
            state.opening = opening
            return opening
        }
        do {
            try await opening.value
        } catch {
            await close()
            throw error
        }
    }

    /// Closes what was made, the last first, once nobody needs it any more.
    public func close() async {
        let closing: Task<Void, Never>? = state.withLock { state in
            state.users = max(0, state.users - 1)
            guard state.users == 0 else { return nil }
            let made = state.made
            state.made = []
            for (recipe, _) in made where state.recipes.contains(where: { $0.key == recipe.key }) {
                state.values[recipe.key] = nil
            }
            let closing = Task {
                for (recipe, value) in made.reversed() {
                    do {
                        try await recipe.close(value)
                    } catch {
                        Logger(label: "chard.app").warning(
                            "a dependency cannot be closed", metadata: ["type": "\(recipe.name)", "error": "\(error)"])
                    }
                }
            }
            state.closing = closing
            return closing
        }
        await closing?.value
    }

    private func make() async throws {
        for recipe in state.withLock({ $0.recipes }) {
            let value: any Sendable
            do {
                value = try await recipe.make()
            } catch {
                throw AppError("the dependency \(recipe.name) cannot be made: \(error)")
            }
            state.withLock { state in
                state.made.append((recipe, value))
                // Not over what took its place meanwhile.
                if state.recipes.contains(where: { $0.key == recipe.key }) { state.values[recipe.key] = value }
            }
        }
    }

    /// What the tasks need and nobody has registered.
    var problems: [String] {
        state.withLock { state in
            state.required.filter { key, _ in
                state.values[key] == nil && !state.recipes.contains { $0.key == key }
            }.values.sorted().map {
                "its tasks need a dependency of type \($0), and none is registered; add app.dependencies.register(...)"
            }
        }
    }
}

/// A task asked for a dependency that its app does not have.
public struct MissingDependency: Error, Sendable, CustomStringConvertible {
    /// The name of the type that was asked for.
    public let type: String

    /// Whether there is a way to make it, which was not gone yet.
    let isRegistered: Bool

    /// What is missing and how to add it.
    public var description: String {
        isRegistered
            ? "the dependency \(type) is not made yet: it is when a worker has started, or within withApp; else call "
                + "app.dependencies.open() first, and register it before what is made with it"
            : "no dependency of type \(type) is registered; add app.dependencies.register(...) before the worker starts"
    }
}
