// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where an app's messages go behind all middleware: to the broker, or straight to their runs.
struct Destination: Sendable {
    private enum Place: Sendable {
        case broker(any Broker)
        /// Messages that so many replicas must have taken.
        case replicas(any ReplicatedBroker, Durability)
        case immediately(any ImmediateRunner)
    }

    private let app: Chard
    private let place: Place

    init(of app: Chard) throws(AppError) {
        self.app = app
        if let immediate = app.immediate { place = .immediately(immediate) } else { place = .broker(try app.broker) }
    }

    init(of app: Chard, durability: Durability) throws(AppError) {
        self.app = app
        guard app.immediate == nil, let broker = try app.broker.power(.replicas) else {
            let place = app.immediate == nil ? try app.broker.location : "immediate mode"
            throw AppError(
                "\(place) has no replicas; leave out the durability, or use a Redis server that has some")
        }
        place = .replicas(broker, durability)
    }

    func send(_ messages: [TaskMessage]) async throws -> Enqueued {
        let broker: any Broker
        switch place {
        case .immediately(let runner):
            try await runner.run(messages, of: app)
            return Enqueued(messages, placement: .ran)
        case .broker(let plain): broker = plain
        case .replicas(let replicated, _): broker = replicated
        }
        var outgoing: [OutgoingMessage] = []
        outgoing.reserveCapacity(messages.count)
        for index in messages.indices { outgoing.append(try app.outgoing(of: messages[index])) }
        if messages.haveETA { await app.letOthersHold(messages, &outgoing, broker) }
        let placements: [Placement]
        if case .replicas(let replicated, let durability) = place {
            placements = try await replicated.send(outgoing, durability: durability)
        } else if let buffer = app.buffer {
            placements = try await buffer.send(outgoing, to: broker)
        } else {
            placements = try await broker.send(outgoing)
        }
        if app.settings.sendsSentEvents { await app.tellSent(messages, by: broker) }
        return Enqueued(messages, placements)
    }
}

extension [TaskMessage] {
    /// Whether one of them waits for its time.
    fileprivate var haveETA: Bool {
        for place in indices where self[place].eta != nil { return true }
        return false
    }
}
