// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What becomes of a message whose holder was lost: it runs again, with the loss counted in the message itself, until it
/// was lost too often. For brokers, so that all of them count alike.
public struct Recovery: Sendable {
    /// From so many losses on, a task runs apart from others of its kind: see ``Consumer/noteLastChance(of:)``.
    public static let lastChance = 2

    /// The header of a message that was revoked while it waited for its time, and whose workflow has still to be told.
    static let revokedHeader = HeaderOnTheWay.revoked

    /// What is to be written in the step that takes the message from the holder: it goes back to the front of its queue, or
    /// to the dead letters with its failure stored.
    public let effects: Effects
    /// The failure of a task that was lost too often, where it keeps its status.
    public let buried: StatusRecord?
    /// The task's id, as far as it can be read.
    public let id: String?
    /// What the history is to say of it; `nil` where the message cannot be read.
    package let loss: AttemptRecord?

    /// Judges one message that `node` held.
    ///
    /// Counting in the message needs no record beside it that could outlive it, be lost or be forgotten.
    /// - Parameters:
    ///   - held: The message.
    ///   - size: The size of the message where only its beginning and end are given; see ``Delivery/excerptOf``.
    ///   - node: The node name of the process that is gone.
    ///   - cause: How the process ended, where somebody saw it.
    ///   - maximumLosses: After how many losses the message is put aside.
    ///   - noted: The ids of the tasks on their last chance that had been started.
    ///   - seal: Seals the count, and tells whether the one in the message was sealed.
    ///   - now: The time.
    ///   - lifetimes: How long the failure of a task is kept that was lost too often.
    public init(
        of held: OutgoingMessage, excerptOf size: Int? = nil, from node: String, because cause: String? = nil,
        maximumLosses: Int, noted: Set<String>, seal: LossSeal, now: Date, lifetimes: StatusLifetimes = .default
    ) {
        let message: TaskMessage
        do throws(MessageError) {
            if let size { throw MessageError(tooLarge: size, excerpt: held.payload) }
            // Whoever claims it next judges its size and depth, by the limits of its app.
            message = seal.trusting(try TaskMessage(decoding: held.payload, limits: .held))
        } catch {
            self.init(
                burying: error.letter(of: held.payload, on: held.queue, from: node, at: now),
                error.status(at: now, timeToLive: lifetimes[error.partialTask]), error.partialID)
            return
        }
        var attempt = Attempt(message, on: held.queue, end: .lost, endedAt: now)
        attempt.node = node
        attempt.error = cause ?? "its lease lapsed"
        let loss = AttemptRecord(attempt)
        let isCounted = message.losses < Self.lastChance || noted.contains(message.id)
        let losses = message.losses + (isCounted ? 1 : 0)
        guard losses >= maximumLosses else {
            self.init(
                [.putBack(as: seal.sealing(message.redelivered(losses: losses)).encoded())], buried: nil,
                id: message.id,
                loss)
            return
        }
        let process = cause.map { "\(node): \($0)" } ?? "\(node), whose lease lapsed"
        // What waits for the task is told by a worker, which is given it once more, not to run it.
        if let embed = try? message.decodeBody(limits: .held).embed, !embed.isEmpty {
            var lost = message.redelivered(losses: losses)
            lost.headers[LossSeal.lostHeader] = .integer(losses)
            lost.headers[LossSeal.lostByHeader] = .string(process)
            self.init([.putBack(as: seal.sealing(lost).encoded())], buried: nil, id: message.id, loss)
            return
        }
        let error = TaskError.workerLost(losses, lastBy: process)
        var status = TaskStatus(id: message.id, state: .failure, result: error.info.json.encoded())
        status.dateDone = now
        let letter = DeadLetter(
            id: message.id, taskID: message.id, task: message.task, queue: held.queue, reason: .workerLost,
            error: error.description, attempts: message.retries + 1, worker: node, diedAt: now,
            payload: held.payload)
        self.init(
            burying: letter,
            message.ignoresResult == true ? nil : StatusRecord(status, timeToLive: lifetimes[message.task]), message.id,
            loss)
    }

    private init(burying letter: DeadLetter, _ failure: StatusRecord?, _ id: String?, _ loss: AttemptRecord? = nil) {
        var effects: Effects = [.bury(letter)]
        if let failure { effects.append(.store(failure)) }
        self.init(effects, buried: failure, id: id, loss)
    }

    private init(_ effects: Effects, buried: StatusRecord?, id: String?, _ loss: AttemptRecord?) {
        self.effects = effects
        self.loss = loss
        self.id = id
        self.buried = buried
    }
}

extension DeadLetter {
    /// The message that sends it to its queue again, its losses forgotten.
    public var again: OutgoingMessage {
        guard let message = try? TaskMessage(decoding: payload, limits: .held) else {
            return OutgoingMessage(id: taskID ?? id, queue: queue, payload: payload)
        }
        guard message.losses > 0 || message.headers[LossSeal.lostHeader] != nil else {
            return OutgoingMessage(
                id: message.id, queue: queue, priority: message.properties.priority, payload: payload)
        }
        var again = message.redelivered(losses: 0)
        again.headers[LossSeal.lostHeader] = nil
        again.headers[LossSeal.lostByHeader] = nil
        again.headers[LossSeal.header] = nil
        return OutgoingMessage(
            id: message.id, queue: queue, priority: message.properties.priority, payload: again.encoded())
    }
}

extension TaskError {
    static func workerLost(_ losses: Int, lastBy process: String?) -> TaskError {
        let last = process.map { "; the last was \($0)" } ?? ""
        return TaskError(
            "WorkerLost", "the worker was lost while it held the task, \(losses) times\(last)", module: "chard")
    }
}

/// How old a message is by its own account: Chard's clients write when it was sent.
public enum MessageAge {
    /// The age in seconds; `nil` where the message does not say when it was sent.
    public static func seconds(of payload: [UInt8], now: Date) -> Double? {
        guard let message = try? TaskMessage(decoding: payload, limits: .held),
            let sentAt = message.sentAt
        else { return nil }
        return max(0, now.timeIntervalSince(sentAt))
    }
}
