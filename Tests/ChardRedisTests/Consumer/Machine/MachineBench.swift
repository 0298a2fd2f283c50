// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

@testable import ChardRedis

/// A consumer's machine and a clock, with actions as words that are easy to compare.
struct MachineBench {
    var machine: ConsumerMachine
    private(set) var now = ContinuousClock.now

    /// The lists of one queue have the indices 0 to 3, those of the next one 4 to 7.
    /// All of them are used, unless only the first ones of their queues are.
    init(_ queues: [String] = ["q"], settings: RedisSettings = RedisSettings(), usesPriorities: Bool = true) {
        machine = ConsumerMachine(
            identity: "me", queues: queues, keys: RedisKeys(), settings: settings, now: now)
        if usesPriorities { machine.use(Array(machine.pops.indices)) }
    }

    /// A renewal's answer.
    func renewal(orders: Int = 0, isOnDuty: Bool = false, used: [Int] = []) -> ConsumerMachine.Event {
        .renewed(Renewal(sentAt: now, orders: orders, isOnDuty: isOnDuty, used: used))
    }

    mutating func pass(_ duration: Duration) {
        now += duration
    }

    /// Tells the machine of something.
    @discardableResult
    mutating func tell(_ event: ConsumerMachine.Event) -> [String] {
        machine.handle(event, at: now).map(Self.word)
    }

    func pop(_ index: Int) -> PopID { PopID(index: index, round: machine.round) }

    func delivery(_ text: String, queue: String = "q", size: Int = 0) -> Delivery {
        let payload = [UInt8](repeating: 0x20, count: max(0, size - text.utf8.count)) + Array(text.utf8)
        return Delivery(queue: queue, payload: payload, place: queue, number: DeliveryNumber.next())
    }

    /// A claim that has found nothing and waits, all of its pops being under way.
    mutating func wait(_ count: Int = 5) {
        tell(.claim(count))
        tell(.asked(.moved([])))
        for index in machine.pops.indices where machine.pops[index].phase == .connecting {
            tell(.connected(pop(index), true))
        }
    }

    static func text(_ delivery: Delivery) -> String {
        String(decoding: delivery.payload.drop { $0 == 0x20 }, as: UTF8.self)
    }

    static func word(_ action: ConsumerMachine.Action) -> String {
        switch action {
        case .resume(.success(let deliveries)): (["resume"] + deliveries.map(text)).joined(separator: " ")
        case .resume(.failure(let error)): "fail \(error.code)"
        case .ask(let request): "ask \(request.count)"
        case .take(let request): "take \(request.count)"
        case .look(let list, let start): "look \(list.key.replacing("\u{6}\u{16}", with: ":")) \(start)"
        case .pause: "pause"
        case .recallSoon: "recallSoon"
        case .handBack(let deliveries): (["handBack"] + deliveries.map(text)).joined(separator: " ")
        case .connect(let pop): "connect \(pop.index)"
        case .pop(let pop): "pop \(pop.index)"
        case .unblock(let pops): "unblock " + pops.map { "\($0.index)" }.joined(separator: " ")
        case .rest(let pop): "rest \(pop.index)"
        case .closePops: "closePops"
        case .readOrders: "readOrders"
        case .pauseOrders: "pauseOrders"
        case .acknowledge(let number): "acknowledge \(number)"
        case .renew: "renew"
        case .beOnDuty(let isOnDuty): isOnDuty ? "begin duty" : "end duty"
        case .promote: "promote"
        case .lookForLost(let isOnDuty): isOnDuty ? "lookForLost" : "watch"
        case .tellLoss: "tellLoss"
        case .closeSoon: "closeSoon"
        case .end(let hasLostSight): hasLostSight ? "end in doubt" : "end"
        case .report(let report): "report \("\(report)".prefix { $0.isLetter })"
        }
    }
}

extension RedisError {
    static let lost = RedisError(code: .closed, message: "the connection ended")
    static let unknown = RedisError(code: .server, message: "ERR what is that")
    static let wrong = RedisError(code: .wrongType, message: "no list")
}

extension KnownOrders {
    init(_ number: Int, paused: Set<String> = [], revoked: Set<String> = []) {
        self.init()
        self.number = number
        self.paused = paused
        self.revoked = revoked
    }
}
