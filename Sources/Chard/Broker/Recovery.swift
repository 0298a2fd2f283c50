// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What becomes of a message whose holder was lost: it runs again, with the loss counted in the message itself, until it
/// was lost too often. For brokers, so that all of them count alike.
public enum Recovery: Sendable {
    /// Back to the front of its queue, in this form.
    case again(OutgoingMessage)
    /// Kept as a dead letter, its failure stored under its id where that is known.
    case dead(DeadLetter, StatusRecord?)

    /// From so many losses on, a task runs apart from others of its kind: see ``Consumer/noteLastChance(of:)``.
    public static let lastChance = 2

    /// Judges one message that `node` held.
    ///
    /// Counting in the message needs no record beside it that could outlive it, be lost or be forgotten.
    /// - Parameters:
    ///   - excerptOf: The size of the message where only its beginning and end are given; see ``Delivery/excerptOf``.
    ///   - noted: The ids of the tasks on their last chance that had been started.
    public static func of(
        _ held: OutgoingMessage, excerptOf size: Int? = nil, from node: String, maximumLosses: Int, noted: Set<String>,
        now: Date, resultExpires: Duration = .seconds(86_400)
    ) -> Recovery {
        let message: TaskMessage
        do throws(MessageError) {
            if let size { throw MessageError(tooLarge: size, excerpt: held.payload) }
            // Whoever claims it next judges its size and depth, by the limits of its app.
            message = try TaskMessage(decoding: held.payload, limits: .held)
        } catch {
            return .dead(
                error.letter(of: held.payload, on: held.queue, from: node, at: now),
                error.status(at: now, timeToLive: resultExpires))
        }
        let isCounted = message.losses < lastChance || noted.contains(message.id)
        let losses = message.losses + (isCounted ? 1 : 0)
        guard losses >= maximumLosses else {
            var again = held
            again.id = message.id
            again.payload = message.redelivered(losses: losses).encoded()
            return .again(again)
        }
        let error = TaskError(
            "WorkerLost", "the worker was lost while it held the task, \(losses) times", module: "chard")
        var status = TaskStatus(id: message.id, state: .failure, result: error.info.json.encoded())
        status.dateDone = now
        let letter = DeadLetter(
            id: message.id, taskID: message.id, task: message.task, queue: held.queue, reason: .workerLost,
            error: error.description, attempts: message.retries + 1, worker: node, diedAt: now, payload: held.payload)
        return .dead(
            letter, message.ignoresResult == true ? nil : StatusRecord(status, timeToLive: resultExpires))
    }

    /// The message that sends a dead letter to its queue again, its losses forgotten.
    public static func again(_ letter: DeadLetter) -> OutgoingMessage {
        guard let message = try? TaskMessage(decoding: letter.payload, limits: .held) else {
            return OutgoingMessage(id: letter.taskID ?? letter.id, queue: letter.queue, payload: letter.payload)
        }
        return OutgoingMessage(
            id: message.id, queue: letter.queue, priority: message.properties.priority,
            payload: message.losses == 0 ? letter.payload : message.redelivered(losses: 0).encoded())
    }
}

/// How old a message is by its own account: Chard's clients write AMQP's `timestamp`, whole seconds since 1970.
public enum MessageAge {
    /// The age in seconds; `nil` where the message does not say when it was sent.
    public static func seconds(of payload: [UInt8], now: Date) -> Double? {
        guard let message = try? TaskMessage(decoding: payload, limits: .held),
            let timestamp = message.properties.timestamp
        else { return nil }
        return max(0, now.timeIntervalSince1970 - Double(timestamp))
    }
}
