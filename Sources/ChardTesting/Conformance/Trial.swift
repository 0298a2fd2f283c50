// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// A clause at work on a fixture: opens brokers and consumers, sends, takes, compares, and tidies up.
struct Trial: Sendable {
    /// How long anything may take that is to come by itself.
    static let patience: Duration = .seconds(20)

    let clause: String
    let promise: String
    let fixture: any BrokerFixture
    private let opened = Opened()

    init(of clause: BrokerClause, on fixture: any BrokerFixture) {
        self.init(clause.name, clause.promise, on: fixture)
    }

    init(_ clause: String, _ promise: String, on fixture: any BrokerFixture) {
        self.clause = clause
        self.promise = promise
        self.fixture = fixture
    }

    // MARK: Opening

    /// What was opened, to be closed in the end.
    private final class Opened: Sendable {
        let brokers = Mutex<[any Broker]>([])
        let consumers = Mutex<[any Consumer]>([])
        let silent = Mutex<Set<String>>([])
    }

    func broker() async throws -> any Broker {
        let broker = try await fixture.open()
        opened.brokers.withLock { $0.append(broker) }
        return broker
    }

    /// A broker with an optional power; one without it is excused from the clause.
    func broker<Power>(with power: Power.Type) async throws -> Power {
        guard let broker = try await broker() as? Power else { throw PowerMissing() }
        return broker
    }

    /// A consumer, by default as a process of its own.
    func consumer(
        _ queues: [String] = ["q"], of broker: (any Broker)? = nil, node: String = "node@host",
        messageLimit: Int = MessageLimits.default.messageBytes, lifetimes: StatusLifetimes = .default,
        onTerminate: @escaping @Sendable (Set<String>) -> Void = { _ in },
        onBuried: @escaping @Sendable ([StatusRecord]) -> Void = { _ in }
    ) async throws -> any Consumer {
        let broker = if let broker { broker } else { try await self.broker() }
        let subscription = Subscription(
            queues: queues, node: node, concurrency: 3, startedAt: fixture.now, messageLimit: messageLimit,
            statusLifetimes: lifetimes, onTerminate: onTerminate, onBuried: onBuried)
        let consumer = try await broker.consumer(for: subscription)
        opened.consumers.withLock { $0.append(consumer) }
        return consumer
    }

    func silence(_ consumer: any Consumer) async throws {
        _ = opened.silent.withLock { $0.insert(consumer.identity) }
        try await fixture.silence(consumer)
    }

    /// Closes what is open.
    func end() async {
        let silent = opened.silent.withLock { $0 }
        for consumer in opened.consumers.withLock({ $0 }) where !silent.contains(consumer.identity) {
            await consumer.close()
        }
        for broker in opened.brokers.withLock({ $0 }) { await broker.shutdown() }
    }

    // MARK: Judging

    func failure(_ finding: String) -> BrokerClauseFailure {
        BrokerClauseFailure(clause: clause, promise: promise, finding: finding)
    }

    func equal<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws {
        guard found == expected else { throw failure("\(what): expected \(expected), found \(found)") }
    }

    func hold(_ condition: Bool, _ what: String) throws {
        guard condition else { throw failure("it does not hold that \(what)") }
    }

    func unwrap<Value>(_ value: Value?, _ what: String) throws -> Value {
        guard let value else { throw failure("\(what): there is none") }
        return value
    }

    /// Waits until a condition holds.
    func eventually(
        _ what: String, within patience: Duration = patience, _ condition: @Sendable () async throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + patience
        var looks = 0
        while try await !condition() {
            looks += 1
            // Where the whole machine stood still, time alone says nothing.
            guard ContinuousClock.now < deadline || looks < 20 else {
                throw failure("waited \(patience) in vain until \(what)")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Runs `body`, which is to end by itself, with a deadline.
    func soon<Value: Sendable>(
        _ what: String, within patience: Duration = patience, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask(operation: body)
            group.addTask {
                try await Task.sleep(for: patience)
                throw failure("waited \(patience) in vain until \(what)")
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    // MARK: Taking

    /// Claims until `count` deliveries have come, and no more than that.
    func take(_ consumer: any Consumer, _ count: Int, within patience: Duration = patience) async throws -> [Delivery] {
        let taken = Tally<Delivery>()
        do {
            try await soon("\(count) messages are claimed", within: patience) {
                while case let left = count - taken.count, left > 0 {
                    let deliveries = try await consumer.claim(upTo: left)
                    taken.add(deliveries)
                    try Task.checkCancellation()
                }
            }
        } catch let error as BrokerClauseFailure {
            throw failure("\(error.finding); there were \(taken.all.map(\.text))")
        }
        let deliveries = taken.all
        try equal(deliveries.count, count, "the number of messages claimed when asked for \(count)")
        return deliveries
    }

    /// Calls claims back while `body` waits for their end: again and again, for one may not have begun to wait before.
    func calling<Value: Sendable>(
        _ consumers: [any Consumer], _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let caller = Task {
            while !Task.isCancelled {
                for consumer in consumers { consumer.wake() }
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        defer { caller.cancel() }
        return try await soon("claims that were called back return", body)
    }

    /// Takes `count` deliveries while so much time passes that what silent consumers held must come back.
    func takeRecovered(_ consumer: any Consumer, _ count: Int) async throws -> [Delivery] {
        // Called off as soon as they are there.
        async let _: Void = fixture.pass(fixture.recovery)
        return try await take(consumer, count, within: fixture.recovery + Self.patience)
    }
}
