// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension StepDesk {
    /// Keeps steps in a broker's records, for as long as `consumer` holds its lease; for ever, where there is none.
    package convenience init(
        _ store: any RecordStore, results: (any ResultStore)? = nil, by consumer: (any Consumer)?
    ) {
        self.init(
            read: { try await store.record($0) },
            write: { record, name, result in
                let change = RecordChange(.keep, record, name, result, timeToLive: Self.timeToLive)
                guard let consumer else { return try await store.change([change]) }
                guard try await consumer.report([.record(change)]) else {
                    throw BrokerError(
                        .leaseLost, "step \"\(name)\" is not kept: another worker may own the task by now")
                }
            }, value: { try await store.value($0, of: $1) }, status: { try await (results ?? store).status(of: $0) })
    }
}
