// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// One run of an interleaving: draws an operation, carries it out, and tells the model.
struct InterleavingPlay {
    private struct Seat {
        var consumer: any Consumer
        var queues: [String]
        var held: [Delivery] = []
    }

    private(set) var log: [String] = []
    private let trial: Trial
    private let plan: BrokerInterleaving
    private var random: SeededGenerator
    private var model = BrokerModel()
    private var producers: [any Broker] = []
    private var seats: [Seat] = []
    private var settled: [(by: any Consumer, Delivery)] = []
    /// The tasks whose end stored a status.
    private var stored: Set<String> = []
    private var sent = 0
    private var silences = 0

    private static let queues = ["a", "b"]

    init(_ trial: Trial, _ plan: BrokerInterleaving) {
        self.trial = trial
        self.plan = plan
        random = SeededGenerator(seed: plan.seed)
    }

    mutating func run() async throws {
        producers = [try await trial.broker(), try await trial.broker()]
        for _ in 0..<plan.consumers { seats.append(try await seat()) }
        for _ in 0..<plan.steps { try await step() }
        try await finishAll()
    }

    private mutating func seat() async throws -> Seat {
        let queues = Int.random(in: 0..<3, using: &random) == 0 ? ["b"] : Self.queues
        return Seat(consumer: try await trial.consumer(queues), queues: queues)
    }

    private mutating func step() async throws {
        let place = Int.random(in: seats.indices, using: &random)
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<6: try await send()
        case 6..<11: try await claim(place)
        case 11..<15: try await settle(place)
        case 15: try await settleAgain(place)
        case 16: try await close(place)
        case 17: try await fallSilent(place)
        default: try await pass()
        }
    }

    private mutating func send() async throws {
        let now = trial.fixture.now
        let messages = (0..<Int.random(in: 1...4, using: &random)).map { _ in message(now: now) }
        log.append("send " + messages.map(\.id).joined(separator: " "))
        let producer = producers[Int.random(in: producers.indices, using: &random)]
        try await producer.send(messages)
        for message in messages { model.sent(message, now: now) }
    }

    private mutating func message(now: Date) -> OutgoingMessage {
        sent += 1
        let isLater = Int.random(in: 0..<5, using: &random) == 0
        let moments = Double.random(in: 1...4, using: &random)
        return trial.task(
            "\(sent)", queue: Self.queues[Int.random(in: 0..<2, using: &random)],
            dueAt: isLater ? now + trial.fixture.moment.seconds * moments : nil,
            priority: [0, 0, 0, 3, 9][Int.random(in: 0..<5, using: &random)])
    }

    private mutating func claim(_ place: Int) async throws {
        let seat = seats[place]
        // A claim that finds nothing waits for what nobody might send.
        guard model.certain(in: seat.queues) > 0 else { return }
        let count = Int.random(in: 1...5, using: &random)
        let deliveries = try await trial.soon("something is claimed") {
            while true {
                let deliveries = try await seat.consumer.claim(upTo: count)
                if !deliveries.isEmpty { return deliveries }
                try Task.checkCancellation()
            }
        }
        try trial.hold(deliveries.count <= count, "no more than \(count) are claimed")
        try note(deliveries, claimedBy: place)
    }

    private mutating func note(_ deliveries: [Delivery], claimedBy place: Int) throws {
        log.append("\(place) claims " + deliveries.map(\.text).joined(separator: " "))
        for delivery in deliveries {
            let trouble = model.claimed(
                delivery.text, losses: delivery.message?.losses ?? 0, by: seats[place].consumer.identity,
                in: seats[place].queues, now: trial.fixture.now)
            if let trouble { throw trial.failure(trouble) }
        }
        seats[place].held += deliveries
    }

    private mutating func settle(_ place: Int) async throws {
        let chosen = seats[place].held.filter { _ in Bool.random(using: &random) }
        guard !chosen.isEmpty else { return }
        let now = trial.fixture.now
        let isReturn = Int.random(in: 0..<3, using: &random) == 0
        var followers: [OutgoingMessage] = []
        // Newest first, so that the oldest comes to stand at the very front.
        let settlements = (isReturn ? chosen.reversed() : chosen).map { delivery -> Settlement in
            if isReturn { return .handingBack(delivery) }
            let next = Int.random(in: 0..<4, using: &random) == 0 ? [message(now: now)] : []
            followers += next
            var effects: Effects = [.store(trial.status(delivery.text, .success))]
            for message in next { effects.append(.push(message)) }
            return Settlement(delivery, effects)
        }
        log.append(
            "\(place) \(isReturn ? "returns" : "finishes") \(settlements.map(\.delivery.text).joined(separator: " "))"
                + (followers.isEmpty ? "" : ", followed by \(followers.map(\.id).joined(separator: " "))"))
        let consumer = seats[place].consumer
        try await trial.settle(settlements, by: consumer)
        for delivery in settlements.map(\.delivery) {
            if isReturn {
                model.returned(delivery.text, by: consumer.identity)
            } else {
                model.finished(delivery.text, by: consumer.identity)
                stored.insert(delivery.text)
            }
            settled.append((consumer, delivery))
        }
        for follower in followers { model.sent(follower, now: now) }
        seats[place].held.removeAll { chosen.contains($0) }
    }

    /// Settles what was settled before, or what somebody else holds.
    private mutating func settleAgain(_ place: Int) async throws {
        let consumer = seats[place].consumer
        let others = seats.indices.filter { $0 != place }.flatMap { seats[$0].held }
        // Not what is held again: a broker may know a lease by its message alone.
        let past = settled.filter { stale in !seats.contains { $0.held.contains { $0.text == stale.1.text } } }
        let choice: (by: any Consumer, Delivery)?
        if Bool.random(using: &random), let foreign = others.randomElement(using: &random) {
            choice = (consumer, foreign)
        } else {
            choice = past.randomElement(using: &random)
        }
        guard let (by, delivery) = choice else { return }
        log.append("\(delivery.text) is settled again")
        let follower = trial.task("stray")
        try await trial.settleInVain(
            [Settlement(delivery, [.store(trial.status("stray", .success)), .push(follower)])], by: by)
    }

    private mutating func close(_ place: Int) async throws {
        log.append("\(place) closes")
        let consumer = seats[place].consumer
        await consumer.close()
        model.closed(consumer.identity)
        seats[place] = try await seat()
    }

    private mutating func fallSilent(_ place: Int) async throws {
        guard silences < plan.silences else { return }
        silences += 1
        log.append("\(place) falls silent")
        let consumer = seats[place].consumer
        try await trial.silence(consumer)
        model.lost(consumer.identity)
        seats[place] = try await seat()
    }

    private mutating func pass() async throws {
        log.append("time passes")
        try await trial.fixture.pass(trial.fixture.moment * Double.random(in: 0.2...2, using: &random))
    }

    /// Finishes everything, and sees that this was all.
    private mutating func finishAll() async throws {
        for place in seats.indices {
            try await trial.finish(seats[place].held, by: seats[place].consumer)
            for delivery in seats[place].held { model.finished(delivery.text, by: seats[place].consumer.identity) }
            seats[place].held = []
        }
        seats.append(Seat(consumer: try await trial.consumer(Self.queues), queues: Self.queues))
        let last = seats.count - 1
        async let _: Void = trial.fixture.pass(trial.fixture.recovery + trial.fixture.moment * 5)
        while !model.isEmpty {
            let deliveries: [Delivery]
            do {
                deliveries = try await trial.take(
                    seats[last].consumer, 1, within: trial.fixture.recovery + Trial.patience)
            } catch let error as BrokerClauseFailure {
                throw trial.failure("lost: \(model.messages.keys.sorted()): \(error.finding)")
            }
            try note(deliveries, claimedBy: last)
            try await trial.finish(deliveries, by: seats[last].consumer)
            for delivery in deliveries { model.finished(delivery.text, by: seats[last].consumer.identity) }
        }
        for queue in Self.queues + ["q"] { try await trial.expectNothing(in: queue) }
        for id in model.finished.sorted() {
            let state = try await producers[0].status(of: id)?.state
            try trial.equal(state, stored.contains(id) ? .success : nil, "the state stored of \(id)")
        }
        let stray = try await producers[0].status(of: "stray")
        try trial.hold(stray == nil, "what was fenced stores no status")
    }
}
