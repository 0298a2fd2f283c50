// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Synchronization

/// Turns outcomes into settlements: the one place that knows what each of them leaves behind.
struct Concluder: Sendable {
    let node: String
    /// By which counted losses are believed.
    let seal: LossSeal
    let settings: Settings
    let keepsResultsElsewhere: Bool
    /// Whether the ends of a chord's members can be counted.
    let keepsJoins: Bool
    /// Whether the message of what has failed can be kept.
    var keepsRecords = true
    /// Whether the broker can mark what was sent for joins that are kept elsewhere.
    var keepsMarks = false
    let rules: CanvasRules
    /// How many effects one step may have.
    var mostEffects = 200
    private let goodChord = GoodChord()

    /// What a run leaves behind.
    func conclude(_ outcome: Outcome, of run: TaskRun, delivery: Delivery) -> Conclusion {
        // Only then: it changes the message, and so copies it.
        guard run.cancellation.hasSteps else {
            return conclude(outcome, of: run.message, embed: run.body.embed, task: run.task, delivery: delivery)
        }
        return conclude(outcome, of: run.message.withSteps, embed: run.body.embed, task: run.task, delivery: delivery)
    }

    /// What a run leaves behind. Nearly all of them succeed, and nothing follows, or they are members of a chord: these pay for
    /// no more than they need.
    func conclude(
        _ outcome: Outcome, of message: TaskMessage, embed: Embed, task: RegisteredTask, delivery: Delivery
    ) -> Conclusion {
        if case .success(let json) = outcome, !keepsResultsElsewhere, !embed.hasSuccessors, !message.hasSteps,
            embed.chord == nil || message.task != Arrival.task
        {
            let status = status(
                .success, json, message, ignoresResult: task.options.ignoresResult, keptFor: task.options.resultExpires)
            guard embed.chord != nil, let part = Followers.end(of: message, .success, json[...], rules) else {
                return Conclusion(Settlement(delivery, Effects(storing: status)))
            }
            var conclusion = Conclusion(Settlement(delivery, Effects(storing: status)))
            conclusion.settlement.effects.append(.join(part))
            conclusion.extras.renewal = Conclusion.Renewal(outcome: outcome, known: KnownJoins())
            return conclusion
        }
        return conclude(outcome, of: message, embed: embed, task: .some(task), delivery: delivery, known: nil)
    }

    /// - Parameters:
    ///   - embed: What the message asks to follow its task; `nil` where its body cannot be read.
    ///   - known: What is known of the joins that the end counts for.
    func conclude(
        _ outcome: Outcome, of message: TaskMessage?, embed: Embed?, task: RegisteredTask?, delivery: Delivery,
        known: KnownJoins? = nil
    ) -> Conclusion {
        if let message, let embed, isFollowed(outcome, embed) {
            return conclude(outcome, of: message, followedBy: embed, task: task, delivery: delivery, known: known)
        }
        var effects = effects(of: outcome, message, task, delivery, children: [])
        if let note = note(outcome, of: message, isFollowed: false, delivery) { effects.append(note) }
        if let end = endOfSteps(outcome, of: message, isFollowed: false, delivery) { effects.append(end) }
        var conclusion = Conclusion(Settlement(delivery, effects), as: outcome.count)
        if keepsResultsElsewhere { conclusion.extras.statuses = conclusion.settlement.effects.takeStatuses() }
        return conclusion
    }

    private func isFollowed(_ outcome: Outcome, _ embed: Embed) -> Bool {
        if case .replaced = outcome { return true }
        return !embed.isEmpty
    }

    /// Apart from what nearly always happens, which should not pay for it.
    private func conclude(
        _ outcome: Outcome, of message: TaskMessage, followedBy embed: Embed, task: RegisteredTask?, delivery: Delivery,
        known: KnownJoins?
    ) -> Conclusion {
        let known = known ?? KnownJoins()
        let (outcome, followers) = follow(outcome, of: message, on: delivery.queue, embed, known)
        var effects = effects(of: outcome, message, task, delivery, children: followers?.children ?? [])
        for effect in followers?.effects ?? [] { effects.append(effect) }
        if let note = note(outcome, of: message, isFollowed: true, delivery) { effects.append(note) }
        if let end = endOfSteps(outcome, of: message, isFollowed: true, delivery) { effects.append(end) }
        if followers?.sends == true, let renewal = renewal(of: message) { effects.append(renewal) }
        var extras = Conclusion.Extras()
        if effects.hasJoinParts {
            extras.renewal = Conclusion.Renewal(outcome: outcome, known: known)
        }
        if keepsResultsElsewhere { extras.statuses = effects.takeStatuses() }
        extras.early = effects.takeEarly(leaving: mostEffects)
        if keepsResultsElsewhere {
            (extras.joins, extras.openings) = effects.takeJoins()
            if keepsMarks { for part in extras.joins { if let mark = part.mark { effects.append(.join(mark)) } } }
        }
        var conclusion = Conclusion(Settlement(delivery, effects), as: outcome.count)
        conclusion.extras = extras
        return conclusion
    }

    /// Concludes anew what a join has withheld, by what it has said.
    /// - Returns: `nil` where the same has to come again in a moment.
    ///
    /// - Parameter read: What the delivery holds.
    func renew(
        _ conclusion: Conclusion, after receipt: Receipt, asking joins: any JoinStore,
        _ read: (message: TaskMessage, embed: Embed, task: RegisteredTask?)
    ) async throws -> Conclusion? {
        let answers = receipt.joinAnswers
        let parts = keepsResultsElsewhere ? conclusion.extras.joins : conclusion.settlement.effects.joinParts
        guard let answer = answers.last, parts.indices.contains(answers.count - 1),
            let renewal = conclusion.extras.renewal
        else { return nil }
        let group = parts[answers.count - 1].group
        var known = renewal.known
        switch answer {
        case .last:
            known.complete[group] = KnownJoins.Ends(
                ends: try await joins.ends(of: group),
                before: try await joins.countEnds(of: group, upTo: parts[answers.count - 1].index),
                members: try await joins.members(of: group))
        case .early: known.complete[group] = nil
        case .late: known.over.insert(group)
        case .claimed, .counted, .closed: return nil
        }
        var renewed = conclude(
            renewal.outcome, of: read.message, embed: read.embed, task: read.task,
            delivery: conclusion.settlement.delivery, known: known)
        // What was refused before stays so, or the same would be tried in turn for ever.
        if let appeal = conclusion.extras.appeal { renewed.extras.appeal = appeal }
        return renewed
    }

    /// Why what is to follow a task cannot be done; `nil` if it can, as far as can be seen before it has run.
    func problem(with embed: Embed) -> CanvasError? {
        if embed.chord != nil, !keepsJoins {
            return CanvasError("results are kept where no joins can be kept, so that no chord can be carried on")
        }
        if let chord = embed.onlyChord, goodChord.isSame(chord) { return nil }
        do throws(CanvasError) {
            try Followers.check(embed)
            if let chord = embed.onlyChord { goodChord.set(chord) }
            return nil
        } catch {
            return error
        }
    }

    /// What follows an outcome. Where that cannot be read, the task has failed.
    private func follow(
        _ outcome: Outcome, of message: TaskMessage, on queue: String, _ embed: Embed, _ known: KnownJoins
    ) -> (Outcome, Followers?) {
        func followers(of outcome: Outcome) throws(CanvasError) -> Followers? {
            var followers = Followers(of: message, on: queue, embed, known, rules)
            switch outcome {
            case .success(let json): try followers.succeed(json)
            case .replaced(let replacement): try followers.replace(by: replacement)
            case .failure(let error, _): try followers.fail(error)
            case .rejected(let why): try followers.fail(.rejected(why))
            case .revoked(let word): try followers.fail(.revoked(word), .revoked)
            case .ignored:
                try followers.fail(
                    TaskError(
                        "Ignore", "\(message.task)[\(message.id)] ended without a result", module: "celery.exceptions"))
            case .unreadable(let error): try followers.fail(TaskError(describing: error))
            case .retry, .tooEarly, .rateLimited, .requeued, .returned: return nil
            }
            return followers
        }
        do throws(CanvasError) {
            return (outcome, try followers(of: outcome))
        } catch {
            let failure = Outcome.failure(.badWorkflow(error), keptAs: .badWorkflow)
            return (failure, try? followers(of: failure))
        }
    }

    private func effects(
        of outcome: Outcome, _ message: TaskMessage?, _ task: RegisteredTask?, _ delivery: Delivery, children: [JSON]
    ) -> Effects {
        switch outcome {
        case .success(let json):
            guard let message else { return [] }
            return Effects(
                storing: status(
                    .success, json, message, ignoresResult: task?.options.ignoresResult,
                    keptFor: task?.options.resultExpires, children: children))
        case .failure(let error, let reason):
            var effects = Effects(storing: status(.failure, error, message, task, reason))
            if let reason { effects.append(.bury(letter(reason, error.description, message, delivery))) }
            return effects
        case .retry(let date, let cause):
            guard let message else { return [] }
            var effects = Effects(storing: status(.retry, cause, message, task))
            let next = message.retried(eta: date)
            effects.append(.push(follower(rules.signing?.signing(next) ?? next, delivery, dueAt: date)))
            return effects
        case .tooEarly(let date):
            guard let message else { return [] }
            return [
                .push(
                    OutgoingMessage(
                        id: message.id, queue: delivery.queue, priority: message.properties.priority, dueAt: date,
                        payload: delivery.payload))
            ]
        case .revoked(let word):
            return Effects(
                storing:
                    status(.revoked, .revoked(word), message, task))
        case .ignored, .replaced:
            return []
        case .rateLimited(let date), .requeued(let date):
            guard let message else { return [] }
            return [.push(follower(message, delivery, dueAt: date))]
        case .rejected(let why):
            // Celery 5.7 stores this too, so that nobody waits for ever.
            var effects = Effects(storing: status(.failure, .rejected(why), message, task))
            effects.append(.bury(letter(.rejected, why, message, delivery)))
            return effects
        case .unreadable(let error):
            var effects = Effects(storing: error.status(at: settings.now(), timeToLive: settings.resultExpires))
            effects.append(
                .bury(error.letter(of: delivery.payload, on: delivery.queue, from: node, at: settings.now())))
            return effects
        case .returned:
            return [.putBack(as: nil)]
        }
    }

    private func follower(_ message: TaskMessage, _ delivery: Delivery, dueAt: Date) -> OutgoingMessage {
        OutgoingMessage(
            id: message.id, queue: delivery.queue, priority: message.properties.priority, dueAt: dueAt,
            payload: message.encoded())
    }

    private static let neverStarted: Set<DeadLetter.Reason> = [.notRegistered, .badArguments, .badWorkflow]

    func letter(
        _ reason: DeadLetter.Reason, _ error: String, _ message: TaskMessage?, _ delivery: Delivery
    ) -> DeadLetter {
        DeadLetter(
            id: message?.id ?? "", taskID: message?.id, task: message?.task, queue: delivery.queue, reason: reason,
            error: error, attempts: (message?.retries ?? 0) + (Self.neverStarted.contains(reason) ? 0 : 1),
            worker: node,
            diedAt: settings.now(), payload: delivery.payload)
    }

    func status(
        _ state: TaskState, _ error: TaskError, _ message: TaskMessage?, _ task: RegisteredTask?,
        _ reason: DeadLetter.Reason? = nil
    ) -> StatusRecord? {
        let isStarted = reason.map { !Self.neverStarted.contains($0) } ?? true
        let traceback =
            error.traceback
            ?? message.map { message in
                let attempt = isStarted ? "attempt \(message.retries + 1)" : "not started"
                return "\(error)\n  in task \(message.task)[\(message.id)], \(attempt), on \(node)\n"
            }
        return message.flatMap {
            status(
                state, error.info.json.encoded(), $0, ignoresResult: task?.options.ignoresResult,
                keptFor: task?.options.resultExpires, traceback: traceback)
        }
    }

    /// - Parameters:
    ///   - ignoresResult: What holds for the task, where it is known.
    ///   - keptFor: The same.
    private func status(
        _ state: TaskState, _ json: [UInt8], _ message: TaskMessage, ignoresResult: Bool?, keptFor: Duration?,
        traceback: String? = nil, children: [JSON] = []
    ) -> StatusRecord? {
        if message.ignoresResult ?? ignoresResult ?? false { return nil }
        var status = TaskStatus(id: message.id, state: state, result: json)
        status.traceback = traceback
        if !children.isEmpty { status.children = .array(children) }
        status.groupID = message.group
        status.parentID = message.parentID
        if settings.resultExtended { status.extend(by: message, node) }
        if state.isReady { status.dateDone = settings.now() }
        return StatusRecord(status, timeToLive: keptFor ?? settings.resultExpires)
    }
}

/// The chord that was last found to be a signature: thousands of members carry the same one.
private final class GoodChord: Sendable {
    private let text = Mutex<[UInt8]>([])

    func isSame(_ other: ArraySlice<UInt8>) -> Bool {
        text.withLock { text in
            text.count == other.count
                && text.withUnsafeBufferPointer { text in
                    other.withUnsafeBufferPointer { other in
                        guard let text = text.baseAddress, let start = other.baseAddress else { return false }
                        return text.hasSameBytes(as: start, count: other.count)
                    }
                }
        }
    }

    func set(_ other: ArraySlice<UInt8>) {
        text.withLock { $0 = Array(other) }
    }
}

extension Outcome {
    fileprivate var count: Conclusion.Count {
        switch self {
        case .failure, .unreadable: .failed
        case .tooEarly, .rateLimited, .returned: .none
        case .success, .retry, .replaced, .revoked, .ignored, .requeued, .rejected: .done
        }
    }
}

extension Effects {
    /// Takes out what may be done before the step, where there are more than so many effects.
    fileprivate mutating func takeEarly(leaving most: Int) -> [Effect] {
        guard count > most else { return [] }
        var (early, rest): ([Effect], [Effect]) = ([], [])
        var hasOwnStatus = false
        for effect in self {
            let isTooMuch = count - early.count > most
            switch effect {
            case .store where isTooMuch && hasOwnStatus, .open where isTooMuch, .push where isTooMuch:
                early.append(effect)
            case .store:
                // The first one is that of the task itself.
                hasOwnStatus = true
                rest.append(effect)
            default: rest.append(effect)
            }
        }
        self = Effects(rest)
        return early
    }
}

extension TaskError {
    /// The word for a part of a workflow that was called off.
    static let cancelled = "cancelled"

    /// Whether it says that a workflow was called off.
    var isCancellation: Bool { type == "TaskRevokedError" && arguments.first?.string == Self.cancelled }

    static func revoked(_ word: String) -> TaskError {
        TaskError("TaskRevokedError", word, module: "celery.exceptions")
    }

    static func rejected(_ why: String) -> TaskError {
        var error = TaskError("Reject", why, module: "celery.exceptions")
        error.arguments.append(false)
        return error
    }

    /// The body of a chord cannot be read.
    static let badChord = TaskError("ChordError", "the body of the chord is no signature", module: "celery.exceptions")

    static func badWorkflow(_ error: CanvasError) -> TaskError {
        TaskError("BadWorkflow", "what is to follow the task cannot be read: \(error)", module: "chard")
    }
}
