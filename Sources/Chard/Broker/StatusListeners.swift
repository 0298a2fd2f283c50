// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Who waits for the statuses of which tasks: a value, for stores that find out by themselves what is new.
package struct StatusListeners: Sendable {
    private var listeners: [String: [Int: StatusListener]] = [:]
    private var count = 0

    package init() {}

    package var isEmpty: Bool { listeners.isEmpty }

    /// The tasks whose statuses somebody waits for.
    package var ids: Set<String> { Set(listeners.keys) }

    package func waits(for id: String) -> Bool { listeners[id] != nil }

    /// Adds a listener. Returns its number, by which it is removed.
    package mutating func add(_ id: String, _ listener: @escaping StatusListener) -> Int {
        count += 1
        listeners[id, default: [:]][count] = listener
        return count
    }

    package mutating func remove(_ id: String, _ number: Int) {
        listeners[id]?[number] = nil
        if listeners[id]?.isEmpty == true { listeners[id] = nil }
    }

    /// What tells those who wait for a task of its stored status; `nil` where nobody does. The status is read only when that is
    /// called: a caller that holds a lock lets go of it first.
    package func news(of id: String, _ json: [UInt8]) -> (@Sendable () -> Void)? {
        guard let told = listeners[id]?.values else { return nil }
        return {
            let status = Result<TaskStatus, any Error> { try TaskStatus(reading: json) }
            for listener in told { listener(status) }
        }
    }

    /// Tells all of them that nothing will come any more, and forgets them.
    package mutating func fail(_ error: BrokerError) {
        for listener in listeners.values.flatMap(\.values) { listener(.failure(error)) }
        listeners = [:]
    }
}
