// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// Moves one queue's delayed messages to where they are claimed from when they are due: by a timer set to the next due time,
/// not by looking again and again. Lives on the event loop; any number of processes may do the same at once.
///
/// Who claims takes what is due and what waits by turns. Who waits in a blocking pop is offered what is due, one message
/// after the other, for as long as somebody takes it.
final class Promoter {
    let queue: String
    private let server: RedisAccess
    private let node: String
    private var timer: Scheduled<Void>?
    private var isAsking = false
    private var isAskedAgain = false
    /// How many messages waited that were due, when that was last seen.
    private var waiting = -1
    private var isClosed = false
    /// How long nothing was offered again that nobody took.
    private var patience = leastPatience
    /// What was told of in the log.
    private var told: Set<String> = []

    /// A batch is small enough to keep the server for a few milliseconds, unless a single message is larger.
    private static let batch = 200
    private static let batchBytes = 1 << 20
    private static let leastPatience: Duration = .milliseconds(5)
    private static let mostPatience: Duration = .milliseconds(200)

    /// - Parameter node: Who is said to have put a bad entry aside.
    init(queue: String, server: RedisAccess, node: String) {
        self.queue = queue
        self.server = server
        self.node = node
    }

    /// The same, where there may be messages that were due before.
    func promoteAll() {
        waiting = -1
        promote()
    }

    /// Moves what is due, and sets the timer for what is next.
    func promote() {
        guard !isClosed else { return }
        guard !isAsking else {
            isAskedAgain = true
            return
        }
        isAsking = true
        timer?.cancel()
        let keys = server.keys
        let command = RedisScript.promote.command(
            keys: [keys.delayed(queue), keys.delayedMessages(queue)]
                + keys.steps.indices.flatMap { [keys.ripe(queue, step: $0), keys.waiting(queue, step: $0)] },
            Self.batch, Self.batchBytes, waiting, keys.priorities.digits)
        server.client.submit([command]).assumeIsolated().whenComplete { result in
            let reply = try? result.get()[0]
            guard let answer = Promotion(reply) else {
                if let error = reply?.error {
                    self.tell("what is delayed cannot be moved", error.description)
                    self.server.look(into: error, of: [self.queue], by: self.node)
                }
                // What cannot be asked now is asked again in a second.
                return self.goOn(after: .seconds(1))
            }
            if let trouble = answer.stuck.first?.trouble {
                self.server.look(into: RedisError(reply: trouble), of: [self.queue], by: self.node)
            }
            for (name, trouble) in answer.stuck
            where self.tell("an entry among what is delayed cannot be moved", trouble, name) {
                self.putAside(name, because: trouble)
            }
            guard !answer.offered.isEmpty else { return self.goOn(after: answer, isTaken: false) }
            self.takeBack(answer)
        }
    }

    /// Offers on for as long as somebody takes.
    private func takeBack(_ answer: Promotion) {
        let keys = server.keys
        let command = RedisScript.takeBack.command(
            keys: answer.offered.flatMap { [keys.ripe(queue, step: $0), keys.waiting(queue, step: $0)] })
        server.client.submit([command]).assumeIsolated().whenComplete { result in
            let left = (try? result.get()[0])?.integer ?? 0
            var answer = answer
            answer.waiting += left
            self.goOn(after: answer, isTaken: left < answer.offered.count)
        }
    }

    private func goOn(after answer: Promotion, isTaken: Bool) {
        waiting = answer.waiting
        if isTaken || answer.waiting == 0 || answer.moved > 0 { patience = Self.leastPatience }
        if isTaken && answer.waiting > 0 || answer.moved > 0 && answer.next == .zero { return goOn(after: .zero) }
        var wait = answer.next == .zero ? .seconds(1) : answer.next
        if answer.waiting > 0 {
            wait = min(wait ?? patience, patience)
            patience = min(patience * 2, Self.mostPatience)
        }
        goOn(after: wait)
    }

    private func goOn(after wait: Duration?) {
        isAsking = false
        if isAskedAgain || wait == .zero {
            isAskedAgain = false
            return promote()
        }
        guard let wait, !isClosed else { return }
        timer = server.client.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(wait)) { self.promote() }
    }

    func close() {
        isClosed = true
        timer?.cancel()
    }

    // MARK: What cannot be moved

    /// Puts an entry aside, among the dead letters, that is no message, or that has lost it.
    private func putAside(_ name: String, because trouble: String) {
        let keys = server.keys
        let read = RedisCommand("HGET", keys.delayedMessages(queue), name)
        server.client.submit([read]).assumeIsolated().whenComplete { result in
            guard let reply = try? result.get()[0], reply.error == nil else { return }
            let entry = reply.bytes ?? []
            // What is a message stays: it is where it is to go that something is wrong with.
            if let digit = entry.first, 0...9 ~= Int(digit) - 0x30 { return }
            let letter = DeadLetter(
                id: name, taskID: nil, task: nil, queue: self.queue, reason: .malformed,
                error: "what was delayed under this name cannot be moved to its queue: \(trouble)", attempts: 0,
                worker: self.node, diedAt: Date(), payload: entry)
            var call = ScriptCall(.putAsideDelayed)
            call.append(key: keys.delayed(self.queue))
            call.append(key: keys.delayedMessages(self.queue))
            call.append(name)
            call.append(entry)
            call.append(1)
            BuryEffect.append(letter, to: &call, keys, self.server.settings)
            _ = self.server.client.submit([call.command])
        }
    }

    /// Says something once. Returns whether it was new.
    @discardableResult
    private func tell(_ what: String, _ trouble: String, _ name: String? = nil) -> Bool {
        guard told.count < 1_000, told.insert("\(name ?? "") \(trouble)").inserted else { return false }
        var metadata: Logger.Metadata = ["queue": "\(queue)", "error": "\(trouble)"]
        if let name { metadata["name"] = "\(name)" }
        server.logger.error("\(what)", metadata: metadata)
        return true
    }
}

/// What the promoting script has answered.
private struct Promotion {
    var moved: Int
    /// After how long the next is due.
    var next: Duration?
    /// How many are due, and were offered to nobody.
    var waiting: Int
    /// The steps of priority of which one was offered.
    var offered: [Int]
    /// The names of what cannot be moved, and why.
    var stuck: [(name: String, trouble: String)]

    init?(_ reply: RESPValue?) {
        guard let parts = reply?.array, parts.count >= 4, let moved = parts[0].integer, let next = parts[1].integer,
            let waiting = parts[2].integer
        else { return nil }
        self.moved = moved
        self.next = next < 0 ? nil : .microseconds(next)
        self.waiting = waiting
        offered = parts.dropFirst(3).prefix { $0.integer != nil }.compactMap(\.integer)
        let words = parts.dropFirst(4 + offered.count).map { $0.text ?? "" }
        stuck = stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
    }
}
