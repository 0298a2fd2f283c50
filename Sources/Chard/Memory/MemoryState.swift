// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// Everything a memory broker knows. A value without clock or I/O: each change is told the time.
struct MemoryState {
    typealias Watcher = @Sendable ([UInt8]) -> Void

    struct Scheduled {
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

    private struct Stored {
        var state: TaskState
        var json: [UInt8]
        var expiresAt: Date?
    }

    private let settings: MemorySettings
    /// Waiting messages of each queue, by step of priority.
    private var waiting: [String: [WaitingLine<OutgoingMessage>]] = [:]
    /// Sorted by time, the earliest first; equal times in the order they came.
    var scheduled: [Scheduled] = []
    private var holders: [String: Holder] = [:]
    private var statuses: [String: Stored] = [:]
    private var statusesToSweepAt = 1024
    private var watchers: [String: [Int: Watcher]] = [:]
    private var letters: [DeadLetter] = []
    private var paused: Set<String> = []
    var schedules = ScheduleBook()
    var scheduleWatchers: [String: @Sendable () -> Void] = [:]
    /// Revoked ids and when they are forgotten.
    private var revoked: [String: Date] = [:]
    private var wakes: [@Sendable () -> Void] = []
    private var counter = 0

    init(settings: MemorySettings) {
        self.settings = settings
    }

    private mutating func next() -> Int {
        counter += 1
        return counter
    }

    // MARK: Sending

    mutating func send(_ messages: [OutgoingMessage], now: Date) {
        for message in messages {
            if let dueAt = message.dueAt, dueAt > now {
                let place = scheduled.firstIndex { $0.dueAt > dueAt } ?? scheduled.endIndex
                scheduled.insert(Scheduled(dueAt: dueAt, message: message), at: place)
            } else {
                place(message, atFront: false)
            }
        }
    }

    private static let noneWaiting = Array(repeating: WaitingLine<OutgoingMessage>(), count: Priority.steps.count)

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

    /// Moves what is due to the front of its queue, the earliest foremost: behind what was due before it and still waits.
    mutating func placeDue(now: Date) {
        let due = scheduled.prefix { $0.dueAt <= now }
        scheduled.removeFirst(due.count)
        for entry in due.reversed() {
            let (queue, step) = (entry.message.queue, Priority.step(for: entry.message.priority))
            var earlier: [OutgoingMessage] = []
            while let dueAt = waiting[queue]?[step].next?.dueAt, dueAt < entry.dueAt,
                let next = waiting[queue]?[step].popNext()
            {
                earlier.append(next)
            }
            place(entry.message, atFront: true)
            for message in earlier.reversed() { waiting[queue]?[step].prepend(message) }
        }
    }

    /// Whom to wake for all changes so far.
    mutating func takeWakes() -> [@Sendable () -> Void] {
        defer { wakes = [] }
        return wakes
    }

    /// When something will change by itself: a message is due, a lease lapses.
    var nextDue: Date? {
        let lapses = holders.values.lazy.compactMap(\.lapsesAt).min()
        guard let due = scheduled.first?.dueAt else { return lapses }
        return lapses.map { min($0, due) } ?? due
    }

    // MARK: Holding

    /// Opens a hold; `ended` is called when it is over, however it came to its end.
    mutating func open(_ identity: String, _ subscription: Subscription, ended: @escaping @Sendable () -> Void) {
        holders[identity] = Holder(subscription: subscription, ended: ended)
        for queue in subscription.queues where waiting[queue] == nil {
            waiting[queue] = Self.noneWaiting
        }
    }

    func isOpen(_ identity: String) -> Bool { holders[identity] != nil }

    /// Leases up to `count` messages: urgent steps first, and among the queues of a step each in its turn. Where there is
    /// none, `wake` is called when there may be.
    mutating func claim(_ identity: String, upTo count: Int, wake: @escaping @Sendable () -> Void) -> [Delivery]? {
        guard var holder = holders[identity] else { return nil }
        var deliveries: [Delivery] = []
        let queues = holder.subscription.queues.filter { !paused.contains($0) }
        for step in Priority.steps.indices {
            var fruitless = 0
            while deliveries.count < count, fruitless < queues.count, !queues.isEmpty {
                let queue = queues[holder.turn % queues.count]
                holder.turn += 1
                guard let message = waiting[queue]?[step].popNext() else {
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
        guard let message = holders[identity]?.leased.removeValue(forKey: settlement.delivery.number) else {
            return .fenced
        }
        switch settlement.fate {
        case .finished: break
        case .returned: place(message, atFront: true)
        case .dead(let letter): keep(letter, now: now)
        }
        if let status = settlement.status { store(status, now: now) }
        send(settlement.followers, now: now)
        return .settled
    }

    /// Ends a hold. Messages still held go to the front of their queues, the oldest foremost; if the holder was lost
    /// rather than closed each loss is counted, and those lost too often are put aside. Returns the statuses of these.
    @discardableResult
    mutating func end(_ identity: String, isLost: Bool, now: Date) -> [StatusRecord] {
        guard let holder = holders.removeValue(forKey: identity) else { return [] }
        var buried: [StatusRecord] = []
        wakes.append(holder.ended)
        if let wake = holder.wake { wakes.append(wake) }
        for (_, held) in holder.leased.sorted(by: { $0.key > $1.key }) {
            guard isLost else {
                place(held, atFront: true)
                continue
            }
            switch Recovery.of(
                held, from: holder.subscription.node, maximumLosses: settings.maximumLosses, noted: holder.noted,
                now: now)
            {
            case .again(let message): place(message, atFront: true)
            case .dead(let letter, let status):
                keep(letter, now: now)
                guard let status else { continue }
                store(status, now: now)
                buried.append(status)
            }
        }
        return buried
    }

    /// Ends a hold as lost, and tells one of the others what was put aside.
    private mutating func lose(_ identity: String, now: Date) {
        let buried = end(identity, isLost: true, now: now)
        guard !buried.isEmpty, let tell = holders.values.first?.subscription.onBuried else { return }
        wakes.append { tell(buried) }
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
        queues.allSatisfy { waiting[$0]?.allSatisfy(\.isEmpty) ?? true }
    }

    func liveHolders(now: Date) -> [(String, Subscription, Date)] {
        holders.map { ($0.key, $0.value.subscription, now) }.sorted { $0.1.node < $1.1.node }
    }

    // MARK: Statuses

    mutating func store(_ record: StatusRecord, now: Date) {
        if record.state != .success, let stored = statuses[record.id], stored.state == .success,
            !isOver(stored, now: now)
        {
            return
        }
        sweepStatuses(now: now)
        statuses[record.id] = Stored(
            state: record.state, json: record.json,
            expiresAt: record.timeToLive.map { now.addingTimeInterval($0.seconds) })
        let json = record.json
        for watcher in (watchers[record.id] ?? [:]).values { wakes.append { watcher(json) } }
    }

    /// Forgets statuses whose time is over: whenever there are twice as many as the last time left.
    private mutating func sweepStatuses(now: Date) {
        guard statuses.count >= statusesToSweepAt else { return }
        statuses = statuses.filter { !isOver($0.value, now: now) }
        statusesToSweepAt = max(1024, statuses.count * 2)
    }

    /// How many statuses are kept, those included whose time is over unnoticed.
    var storedStatuses: Int { statuses.count }

    /// The ids whose statuses somebody waits for.
    var watched: Set<String> { Set(watchers.keys) }

    mutating func status(of id: String, now: Date) -> [UInt8]? {
        guard let stored = statuses[id] else { return nil }
        guard !isOver(stored, now: now) else {
            statuses[id] = nil
            return nil
        }
        return stored.json
    }

    private func isOver(_ stored: Stored, now: Date) -> Bool {
        stored.expiresAt.map { $0 <= now } ?? false
    }

    mutating func forget(_ id: String, now: Date) -> Bool {
        defer { statuses[id] = nil }
        return status(of: id, now: now) != nil
    }

    mutating func watch(_ id: String, now: Date, _ watcher: @escaping Watcher) -> Int {
        let number = next()
        watchers[id, default: [:]][number] = watcher
        if let json = status(of: id, now: now) { wakes.append { watcher(json) } }
        return number
    }

    mutating func unwatch(_ id: String, _ number: Int) {
        watchers[id]?[number] = nil
        if watchers[id]?.isEmpty == true { watchers[id] = nil }
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
            let before = scheduled.count
            scheduled.removeAll { $0.message.id == id }
            guard scheduled.count < before else { continue }
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

    private mutating func keep(_ letter: DeadLetter, now: Date) {
        var letter = letter
        if letter.id.isEmpty || letters.contains(where: { $0.id == letter.id }) {
            letter.id = TaskID.random()
        }
        letters.append(letter)
        trimLetters(now: now)
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
        send([Recovery.again(letter)], now: now)
        return true
    }

    mutating func purge(_ queue: String, scheduled withScheduled: Bool) -> Int {
        var count = waiting[queue]?.reduce(0) { $0 + $1.count } ?? 0
        waiting[queue] = Self.noneWaiting
        if withScheduled {
            let before = scheduled.count
            scheduled.removeAll { $0.message.queue == queue }
            count += before - scheduled.count
        }
        return count
    }

    mutating func reports(now: Date) -> [QueueReport] {
        trimLetters(now: now)
        let names = paused.union(waiting.keys).union(scheduled.map(\.message.queue)).union(letters.map(\.queue))
        return names.sorted().map { queue in
            QueueReport(
                queue: queue, waiting: waiting[queue]?.reduce(0) { $0 + $1.count } ?? 0,
                scheduled: scheduled.count { $0.message.queue == queue },
                leased: holders.values.reduce(0) { $0 + $1.leased.values.count { $0.queue == queue } },
                dead: letters.count { $0.queue == queue }, isPaused: paused.contains(queue),
                oldestWait: waiting[queue]?.lazy.compactMap(\.next).first.flatMap {
                    MessageAge.seconds(of: $0.payload, now: now)
                })
        }
    }
}
