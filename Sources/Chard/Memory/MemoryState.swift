// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import DequeModule
import FoundationEssentials

/// Everything a memory broker knows. A value without clock or I/O: each change is told the time.
struct MemoryState {
    struct Delayed {
        var dueAt: Date
        var message: OutgoingMessage
    }

    private struct Holder {
        var subscription: Subscription
        var leased: [Int64: OutgoingMessage] = [:]
        var turn = 0
        var noted: Set<String> = []
        var wake: (@Sendable () -> Void)?
        /// When its lease lapses, if it has fallen silent.
        var lapsesAt: Date?
        var ended: @Sendable () -> Void
    }

    private let settings: MemorySettings
    let seal = LossSeal.random()
    /// Waiting messages of each queue, by step of priority.
    private var waiting: [String: [Deque<OutgoingMessage>]] = [:]
    /// The same of those that were delayed and are due, the oldest first.
    private var ripe: [String: [Deque<OutgoingMessage>]] = [:]
    /// Sorted by time, the earliest first; equal times in the order they came.
    var delayed: [Delayed] = []
    private var holders: [String: Holder] = [:]
    private var statuses = StatusBook()
    var listeners = StatusListeners()
    private var letters: [DeadLetter] = []
    /// Statuses of what was put aside while there was no holder to tell.
    private var untold: [StatusRecord] = []
    private var paused: Set<String> = []
    var schedules = ScheduleBook()
    var joins = JoinBook()
    var records = RecordBook()
    var history: HistoryBook
    var scheduleWatchers: [String: @Sendable () -> Void] = [:]
    /// Revoked ids and when they are forgotten.
    private var revoked: [String: Date] = [:]
    private var wakes: [@Sendable () -> Void] = []
    private var counter = 0

    init(settings: MemorySettings) {
        self.settings = settings
        history = HistoryBook(settings.history)
    }

    private mutating func next() -> Int {
        counter += 1
        return counter
    }

    // MARK: Sending

    mutating func send(_ messages: [OutgoingMessage], now: Date) {
        for message in messages {
            if let dueAt = message.dueAt, dueAt > now {
                let place = delayed.firstIndex { $0.dueAt > dueAt } ?? delayed.endIndex
                delayed.insert(Delayed(dueAt: dueAt, message: message), at: place)
            } else {
                place(message, atFront: false)
            }
        }
    }

    private static let noneWaiting = Array(repeating: Deque<OutgoingMessage>(), count: Priority.steps.count)

    mutating func place(_ message: OutgoingMessage, atFront: Bool) {
        let step = Priority.step(for: message.priority)
        if atFront {
            waiting[message.queue, default: Self.noneWaiting][step].prepend(message)
        } else {
            waiting[message.queue, default: Self.noneWaiting][step].append(message)
        }
        wakeHolders(of: message.queue)
    }

    private mutating func wakeHolders(of queue: String) {
        for identity in holders.keys where holders[identity]?.subscription.queues.contains(queue) == true {
            if let wake = holders[identity]?.wake {
                wakes.append(wake)
                holders[identity]?.wake = nil
            }
        }
    }

    /// Moves what is due to where it is claimed from, by turns with what waits.
    mutating func placeDue(now: Date) {
        let due = delayed.prefix { $0.dueAt <= now }
        delayed.removeFirst(due.count)
        for entry in due {
            let (queue, step) = (entry.message.queue, Priority.step(for: entry.message.priority))
            ripe[queue, default: Self.noneWaiting][step].append(entry.message)
            wakeHolders(of: queue)
        }
    }

    /// Takes the next message that waits in a queue, or that is due.
    private mutating func takeNext(in queue: String, _ step: Int, isRipe: Bool) -> OutgoingMessage? {
        isRipe ? ripe[queue]?[step].popFirst() : waiting[queue]?[step].popFirst()
    }

    /// How many messages of a queue wait or are due.
    private func count(in queue: String) -> Int {
        [waiting[queue], ripe[queue]].reduce(0) { $0 + ($1?.reduce(0) { $0 + $1.count } ?? 0) }
    }

    /// Whom to wake for all changes so far.
    mutating func takeWakes() -> [@Sendable () -> Void] {
        defer { wakes = [] }
        return wakes
    }

    /// When something will change by itself: a message is due, a lease lapses.
    var nextDue: Date? {
        let lapses = holders.values.lazy.compactMap(\.lapsesAt).min()
        guard let due = delayed.first?.dueAt else { return lapses }
        return lapses.map { min($0, due) } ?? due
    }

    // MARK: Holding

    /// Opens a hold; `ended` is called when it is over, however it came to its end.
    mutating func open(_ identity: String, _ subscription: Subscription, ended: @escaping @Sendable () -> Void) {
        holders[identity] = Holder(subscription: subscription, ended: ended)
        for queue in subscription.queues where waiting[queue] == nil {
            waiting[queue] = Self.noneWaiting
        }
        tellBuried()
    }

    func isOpen(_ identity: String) -> Bool { holders[identity] != nil }

    /// Leases up to `count` messages: urgent steps first, and among the queues of a step each in its turn, once for what is
    /// due and once for what waits. Where there is none, `wake` is called when there may be.
    mutating func claim(_ identity: String, upTo count: Int, wake: @escaping @Sendable () -> Void) -> [Delivery]? {
        guard var holder = holders[identity] else { return nil }
        var deliveries: [Delivery] = []
        let queues = holder.subscription.queues.filter { !paused.contains($0) }
        for step in Priority.steps.indices {
            var fruitless = 0
            while deliveries.count < count, fruitless < queues.count * 2, !queues.isEmpty {
                let queue = queues[holder.turn / 2 % queues.count]
                let isRipe = holder.turn % 2 == 0
                holder.turn += 1
                guard let message = takeNext(in: queue, step, isRipe: isRipe) else {
                    fruitless += 1
                    continue
                }
                fruitless = 0
                let number = Int64(next())
                holder.leased[number] = message
                deliveries.append(
                    Delivery(queue: queue, payload: message.payload, place: identity, number: number))
            }
        }
        holder.wake = deliveries.isEmpty ? wake : nil
        holders[identity] = holder
        return deliveries
    }

    mutating func settle(_ settlement: Settlement, by identity: String, now: Date) -> Receipt {
        guard let message = holders[identity]?.leased[settlement.delivery.number] else { return .fenced }
        if let withheld = withheld(settlement.effects, now: now) { return withheld }
        holders[identity]?.leased[settlement.delivery.number] = nil
        return Receipt(.settled, answers: write(settlement.effects, taking: message, now: now))
    }

    /// Writes effects, one after the other, and returns what they have to say; `message` is what the step takes away.
    @discardableResult
    mutating func write(_ effects: Effects, taking message: OutgoingMessage? = nil, now: Date) -> [Effect.Answer] {
        var answers: [Effect.Answer] = []
        for effect in effects {
            switch effect {
            case .push(let message):
                send([message], now: now)
                if let dueAt = message.dueAt, dueAt > now { answers.append(.name(message.id)) }
            case .putBack(let payload):
                guard var message else { continue }
                message.dueAt = nil
                if let payload { message.payload = payload }
                place(message, atFront: true)
            case .store(let status): store(status, now: now)
            case .bury(let letter): answers.append(.name(keep(letter, now: now)))
            case .open(let opening): joins.open(opening, now: now)
            case .grow(let growth): joins.grow(growth, now: now)
            case .join(let part): answers.append(.join(joins.join(part, now: now)))
            case .record(let record): records.change(record, now: now)
            }
        }
        return answers
    }

    /// Ends a hold. Messages still held go to the front of their queues, the oldest foremost; if the holder was lost
    /// rather than closed each loss is counted, and those lost too often are put aside. Returns the statuses of these.
    @discardableResult
    mutating func end(
        _ identity: String, isLost: Bool, because cause: String? = nil, lifetimes: StatusLifetimes? = nil, now: Date
    ) -> [StatusRecord] {
        guard let holder = holders.removeValue(forKey: identity) else { return [] }
        var buried: [StatusRecord] = []
        wakes.append(holder.ended)
        if let wake = holder.wake { wakes.append(wake) }
        for (_, held) in holder.leased.sorted(by: { $0.key > $1.key }) {
            guard isLost else {
                place(held, atFront: true)
                continue
            }
            let recovery = Recovery(
                of: held, from: holder.subscription.node, because: cause, maximumLosses: settings.maximumLosses,
                noted: holder.noted, seal: seal, now: now, lifetimes: lifetimes ?? holder.subscription.statusLifetimes)
            write(recovery.effects, taking: held, now: now)
            if let loss = recovery.loss { history.note([loss], now: now) }
            if let status = recovery.buried { buried.append(status) }
        }
        return buried
    }

    /// Ends a hold as lost, and has one of the others told what was put aside.
    private mutating func lose(_ identity: String, now: Date) {
        untold += end(identity, isLost: true, now: now)
        tellBuried()
    }

    /// Tells a holder that lives what was put aside; if there is none, the next that opens will be told.
    private mutating func tellBuried() {
        guard !untold.isEmpty, let holder = holders.values.first(where: { $0.lapsesAt == nil }) else { return }
        wakes.append { [untold, tell = holder.subscription.onBuried] in tell(untold) }
        untold = []
    }

    /// Lets a holder's lease run out, as that of a killed process does.
    mutating func silence(_ identity: String, now: Date) {
        guard holders[identity]?.lapsesAt == nil else { return }
        holders[identity]?.lapsesAt = now.addingTimeInterval(settings.lease.seconds)
    }

    /// Ends a hold that nobody refers to any more; one that fell silent before keeps its lease until that lapses.
    mutating func abandon(_ identity: String, now: Date) {
        if holders[identity]?.lapsesAt == nil { lose(identity, now: now) }
    }

    /// Ends the holds whose lease has lapsed.
    mutating func endLapsed(now: Date) {
        let lapsed = holders.compactMap { identity, holder in
            holder.lapsesAt.flatMap { $0 <= now ? (at: $0, identity) : nil }
        }
        for (_, identity) in lapsed.sorted(by: { $0.at > $1.at }) { lose(identity, now: now) }
    }

    mutating func noteLastChance(of id: String, by identity: String) {
        holders[identity]?.noted.insert(id)
    }

    func isDrained(_ queues: [String]) -> Bool {
        queues.allSatisfy { count(in: $0) == 0 }
    }

    func liveHolders(now: Date) -> [(String, Subscription, Date)] {
        holders.map { ($0.key, $0.value.subscription, now) }.sorted { $0.1.node < $1.1.node }
    }

    // MARK: Statuses

    mutating func store(_ record: StatusRecord, now: Date) {
        guard statuses.store(record, now: now) else { return }
        if let news = listeners.news(of: record.id, record.json) { wakes.append(news) }
    }

    /// How many statuses are kept, those included whose time is over unnoticed.
    var storedStatuses: Int { statuses.count }

    mutating func status(of id: String, now: Date) -> [UInt8]? { statuses.status(of: id, now: now) }

    mutating func forget(_ id: String, now: Date) -> Bool { statuses.forget(id, now: now) }

    /// Adds a listener, who is told the stored status first. Returns the listener's number.
    mutating func watch(_ id: String, now: Date, _ listener: @escaping StatusListener) -> Int {
        if let json = status(of: id, now: now) {
            wakes.append { listener(Result { try TaskStatus(reading: json) }) }
        }
        return listeners.add(id, listener)
    }

    // MARK: Orders

    mutating func pause(_ queue: String) -> Bool {
        paused.insert(queue).inserted
    }

    mutating func resume(_ queue: String) -> Bool {
        wakeHolders(of: queue)
        return paused.remove(queue) != nil
    }

    mutating func revoke(
        _ ids: [String], terminating: Bool, timeToLive: Duration, statuses: [StatusRecord], now: Date
    ) -> [String] {
        revoked = revoked.filter { $0.value > now }
        var removed: [String] = []
        for (id, status) in zip(ids, statuses) {
            revoked[id] = now.addingTimeInterval(timeToLive.seconds)
            let before = delayed.count
            delayed.removeAll { $0.message.id == id }
            guard delayed.count < before else { continue }
            store(status, now: now)
            removed.append(id)
        }
        guard terminating else { return removed }
        for holder in holders.values {
            let terminate = holder.subscription.onTerminate
            wakes.append { terminate(Set(ids)) }
        }
        return removed
    }

    func isRevoked(_ id: String, now: Date) -> Bool {
        revoked[id].map { $0 > now } ?? false
    }

    // MARK: Dead letters and inspection

    /// Keeps a letter, and returns the name under which it is kept.
    private mutating func keep(_ letter: DeadLetter, now: Date) -> String {
        var letter = letter
        let name = letter.id.isEmpty ? TaskID.random() : letter.id
        letter.id = name
        var count = 1
        while letters.contains(where: { $0.id == letter.id }) {
            count += 1
            letter.id = "\(name)#\(count)"
        }
        letters.append(letter)
        trimLetters(now: now)
        return letter.id
    }

    private mutating func trimLetters(now: Date) {
        let oldest = now.addingTimeInterval(-settings.deadLetterTimeToLive.seconds)
        letters.removeAll { $0.diedAt < oldest }
        letters.removeFirst(max(0, letters.count - settings.deadLetterLimit))
    }

    mutating func deadLetters(in queue: String?, limit: Int, now: Date) -> [DeadLetter] {
        trimLetters(now: now)
        return Array(letters.reversed().filter { queue == nil || $0.queue == queue }.prefix(limit))
    }

    mutating func deadLetter(_ id: String, now: Date) -> DeadLetter? {
        trimLetters(now: now)
        return letters.first { $0.id == id }
    }

    mutating func dropDeadLetter(_ id: String) -> Bool {
        guard let place = letters.firstIndex(where: { $0.id == id }) else { return false }
        letters.remove(at: place)
        return true
    }

    mutating func requeueDeadLetter(_ id: String, now: Date) -> Bool {
        guard let letter = deadLetter(id, now: now), dropDeadLetter(id) else { return false }
        write([.push(letter.again)], now: now)
        return true
    }

    mutating func purge(_ queue: String, delayed withDelayed: Bool) -> Int {
        var count = count(in: queue)
        waiting[queue] = Self.noneWaiting
        ripe[queue] = nil
        if withDelayed {
            let before = delayed.count
            delayed.removeAll { $0.message.queue == queue }
            count += before - delayed.count
        }
        return count
    }

    /// The messages that wait in a queue, the next one first.
    func waitingMessages(in queue: String) -> some Sequence<OutgoingMessage> {
        zip(ripe[queue] ?? Self.noneWaiting, waiting[queue] ?? Self.noneWaiting).lazy.flatMap { $0 + $1 }
    }

    /// The messages of a queue that are held, each with its holder.
    func leasedMessages(in queue: String) -> [(message: OutgoingMessage, holder: String)] {
        holders.sorted { $0.key < $1.key }.flatMap { identity, holder in
            let held = holder.leased.filter { $0.value.queue == queue }.sorted { a, b in
                let (first, second) = (Priority.step(for: a.value.priority), Priority.step(for: b.value.priority))
                return (first, a.key) < (second, b.key)
            }
            return held.map { ($0.value, identity) }
        }
    }

    mutating func queueNames(now: Date) -> [String] {
        trimLetters(now: now)
        return paused.union(waiting.keys).union(ripe.keys).union(delayed.map(\.message.queue)).union(
            letters.map(\.queue)
        ).sorted()
    }

    mutating func reports(now: Date) -> [QueueReport] {
        queueNames(now: now).map { queue in
            QueueReport(
                queue: queue, waiting: count(in: queue),
                delayed: delayed.count { $0.message.queue == queue },
                leased: holders.values.reduce(0) { $0 + $1.leased.values.count { $0.queue == queue } },
                dead: letters.count { $0.queue == queue }, isPaused: paused.contains(queue),
                oldestWait: waitingMessages(in: queue).first { _ in true }.flatMap {
                    MessageAge.seconds(of: $0.payload, now: now)
                })
        }
    }
}
