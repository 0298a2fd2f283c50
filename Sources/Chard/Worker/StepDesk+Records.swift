// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension StepDesk {
    /// Keeps steps in a broker's records, for as long as `consumer` holds its lease; for ever, where there is none.
    /// - Parameters:
    ///   - results: Where results are kept, if that is not the broker.
    ///   - app: That whose tasks run; without it they can neither revoke others nor add members to their group.
    package convenience init(
        _ store: any RecordStore, results: (any ResultStore)? = nil, by consumer: (any Consumer)?, for app: Chard? = nil
    ) {
        var revoke: (@Sendable ([String]) async throws -> Void)?
        if let app {
            revoke = { ids in
                try await app.operator.revoke(ids, terminating: true, timeToLive: CallingOff.timeToLive)
            }
        }
        @Sendable func write(_ effects: Effects, _ words: String) async throws {
            guard let consumer, try await !consumer.report(effects) else { return }
            throw BrokerError(.leaseLost, "\(words): another worker may own the task by now")
        }
        var group: GroupWriter?
        if consumer != nil, results == nil, let app {
            group = GroupWriter(rules: app.canvasRules) { try await write($0, "no member is added to a group") }
        }
        self.init(
            read: { try await store.record($0) },
            write: { record, name, result in
                let change = RecordChange(.keep, record, name, result, timeToLive: Self.timeToLive)
                guard consumer != nil else { return try await store.change([change]) }
                try await write([.record(change)], "step \"\(name)\" is not kept")
            }, value: { try await store.value($0, of: $1) }, status: { try await (results ?? store).status(of: $0) },
            revoke: revoke, group: group)
    }
}
