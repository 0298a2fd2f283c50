// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension BrokerClause {
    static let losses: [BrokerClause] = [
        BrokerClause(
            "a lost process",
            "What a lost process held is leased again: from the front, the oldest foremost, its loss counted."
        ) { trial in
            let broker = try await trial.broker()
            let lost = try await trial.consumer(["q", "other"])
            try await broker.send(["a", "b", "c"].map { trial.task($0) } + [trial.task("low", priority: 9)])
            try await broker.send([trial.task("u", queue: "other")])
            let held = try await trial.take(lost, 5)
            try await trial.finish(held.filter { $0.text == "c" }, by: lost)
            try await broker.send([trial.task("d")])
            try await trial.silence(lost)
            let next = try await trial.consumer()
            let first = try await trial.take(next, 1)
            try trial.equal(first.map(\.text), ["d"], "what can be claimed before the lease has lapsed")
            try await trial.settle([.handingBack(first[0])], by: next)
            // Claimed only once all are back: they come one by one.
            await next.close()
            let witness = try await trial.consumer(["other"])
            let other = try await trial.takeRecovered(witness, 1)
            try trial.equal(other.map(\.message?.losses), [1], "the losses counted in the other queue")
            try await trial.eventuallyRecovered("the rest is back") {
                guard let broker = broker.power(.inspection) else { return false }
                return try await broker.queues().first { $0.queue == "q" }?.waiting == 4
            }
            let heir = try await trial.consumer()
            let deliveries = try await trial.take(heir, 4)
            try trial.equal(deliveries.map(\.text), ["a", "b", "d", "low"], "the order after the loss")
            try trial.equal(deliveries.map(\.message?.losses), [1, 1, 0, 1], "the losses counted")
            try trial.equal(
                deliveries.map(\.message?.isRedelivered), [true, true, false, true], "the marks of redelivery")
            try trial.equal(deliveries.map(\.message?.retries), [0, 0, 0, 0], "the retries counted")
        },

        BrokerClause(
            "closed while cancelled", "A task that was cancelled can hand back as well: nothing counts as lost."
        ) { trial in
            let broker = try await trial.broker()
            let consumer = try await trial.consumer()
            try await broker.send([trial.task("a"), trial.task("b")])
            _ = try await trial.take(consumer, 2)
            let end = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                await consumer.close()
            }
            await end.value
            let next = try await trial.consumer()
            let deliveries = try await trial.take(next, 2)
            try trial.equal(deliveries.map(\.text), ["a", "b"], "what was handed back")
            try trial.equal(deliveries.map(\.message?.losses), [0, 0], "the losses counted")
            try await trial.finish(deliveries, by: next)
        },

        BrokerClause("a loss wakes", "Whoever waits for work is given what a lost process held.") { trial in
            let broker = try await trial.broker()
            let lost = try await trial.consumer()
            try await broker.send([trial.task("a")])
            _ = try await trial.take(lost, 1)
            let waiting = try await trial.consumer()
            let claim = Task { try await trial.take(waiting, 1, within: trial.fixture.recovery + Trial.patience) }
            try await trial.silence(lost)
            try await trial.fixture.pass(trial.fixture.recovery)
            let deliveries = try await claim.value
            try trial.equal(deliveries.map(\.message?.losses), [1], "the losses counted")
            try await trial.finish(deliveries, by: waiting)
        },

        BrokerClause(
            "the third loss",
            "Lost three times, a task is a dead letter, and a failure is stored if its result is wanted."
        ) { trial in
            let broker = try await trial.broker()
            try await broker.send([trial.task("a"), trial.task("unwanted", ignoresResult: true)])
            for losses in 1...3 {
                let lost = try await trial.consumer(node: "lost@host")
                let held = try await trial.takeRecovered(lost, 2)
                try trial.equal(held.map(\.message?.losses), [losses - 1, losses - 1], "the losses counted")
                for id in ["a", "unwanted"] { try await lost.noteLastChance(of: id) }
                try await trial.silence(lost)
            }
            try await trial.eventuallyRecovered("the failure is stored, the last loss counted") {
                try await broker.status(of: "a") != nil
            }
            let status = try trial.unwrap(try await broker.status(of: "a"), "the status of a task lost three times")
            try trial.equal(status.state, .failure, "its state")
            try trial.equal(status.error?.type, "WorkerLost", "its error's type")
            let unwanted = try await broker.status(of: "unwanted")
            try trial.hold(unwanted == nil, "no status is stored where none is wanted")
            guard let broker = broker.power(.inspection) else { return try await trial.expectNothing() }
            try await trial.eventually("both are put aside") {
                try await broker.deadLetters(in: "q", limit: 9).count == 2
            }
            try await trial.expectNothing()
            let letters = try await broker.deadLetters(in: "q", limit: 9)
            try trial.equal(Set(letters.map(\.id)), ["a", "unwanted"], "the dead letters")
            let letter = try trial.unwrap(letters.first { $0.id == "a" }, "the dead letter")
            try trial.equal(letter.reason, .workerLost, "its reason")
            try trial.equal(letter.worker, "lost@host", "its worker")
            try trial.equal(letter.task, "task", "its task")
        },

        BrokerClause(
            "an innocent task",
            "On its last chance a task is counted as lost only if it had been started, as was noted."
        ) { trial in
            let broker = try await trial.broker()
            let lost = try await trial.consumer()
            try await broker.send(["guilty", "innocent"].map { trial.task($0, losses: 2, sealedBy: lost.seal) })
            _ = try await trial.take(lost, 2)
            try await lost.noteLastChance(of: "guilty")
            let next = try await trial.consumer()
            try await trial.silence(lost)
            let deliveries = try await trial.takeRecovered(next, 1)
            try trial.equal(deliveries.map(\.text), ["innocent"], "what came back")
            try trial.equal(deliveries.map(\.message?.losses), [2], "the losses counted in it")
            await next.close()
            try await trial.expectWaiting(["innocent"])
        },

        BrokerClause(
            "losses that are claimed",
            "Losses that a message claims for itself count for nothing; those counted here are believed by all."
        ) { trial in
            let broker = try await trial.broker()
            let lost = try await trial.consumer()
            let other = try await trial.consumer(["other"])
            try trial.equal(lost.seal, other.seal, "the seals of two consumers")
            try await broker.send([
                trial.task("forged", losses: 2), trial.task("wrongly sealed", losses: 2, sealedBy: .random()),
            ])
            let held = try await trial.take(lost, 2)
            try trial.equal(
                held.compactMap(\.message).map { lost.seal.trusting($0).losses }, [0, 0], "the losses believed")
            // On their last chance these would count for nothing, as it was not noted.
            try await trial.silence(lost)
            let next = try await trial.consumer()
            let again = try await trial.takeRecovered(next, 2)
            try trial.equal(again.map(\.message?.losses), [1, 1], "the losses counted")
            try trial.equal(
                again.compactMap(\.message).map { next.seal.trusting($0).losses }, [1, 1], "the losses believed")
            try await trial.finish(again, by: next)
        },

        BrokerClause("lost and unreadable", "What no loss can be counted in is a dead letter at once, its bytes kept.")
        {
            trial in
            let broker = try await trial.broker(with: (any InspectableBroker).self)
            try await trial.send("{nonsense", by: broker)
            let lost = try await trial.consumer()
            _ = try await trial.take(lost, 1)
            try await trial.silence(lost)
            try await trial.eventuallyRecovered("it is put aside") {
                try await !broker.deadLetters(in: "q", limit: 9).isEmpty
            }
            let letters = try await broker.deadLetters(in: "q", limit: 9)
            try trial.equal(letters.map(\.reason), [.malformed], "the reasons of the dead letters")
            try trial.equal(letters.first?.payload, Array("{nonsense".utf8), "the bytes kept")
            try trial.hold(letters.first?.id.isEmpty == false, "the dead letter has a name")
            try await trial.expectNothing()
        },

        BrokerClause(
            "declared lost", "What a process held that was declared lost is back at once, and that process is fenced."
        ) { trial in
            let broker = try await trial.broker(with: (any SupervisedBroker).self)
            let lost = try await trial.consumer()
            let next = try await trial.consumer()
            try await broker.send([trial.task("a"), trial.task("b")])
            let held = try await trial.take(lost, 1)
            // As after its end: one that lives might hand back by itself what it held, uncounted, when it learns of it.
            try await trial.fixture.silence(lost)
            try await broker.declareLost(lost.identity)
            let deliveries = try await trial.take(next, 2)
            try trial.equal(deliveries.map(\.text), ["a", "b"], "what is there at once")
            try trial.equal(deliveries.map(\.message?.losses), [1, 0], "the losses counted")
            try await trial.settleInVain(
                [Settlement(held[0], [.store(trial.status("a", .success))])], by: lost)
            let status = try await broker.status(of: "a")
            try trial.hold(status == nil, "a process that was declared lost stores nothing")
            try await trial.expectUseless(lost)
            try await trial.soon("leaseLost() returns") { await lost.leaseLost() }
            try await trial.finish(deliveries, by: next)
            try await broker.declareLost("nobody#1")
            try await trial.expectNothing()
        },

        BrokerClause(
            "lost too often is told",
            "Whoever puts a lost task aside is told its status, so that it can be kept elsewhere as well."
        ) { trial in
            let broker = try await trial.broker(with: (any SupervisedBroker).self)
            let told = Tally<String>()
            let lost = try await trial.consumer()
            try await broker.send([trial.task("seen", losses: 2, sealedBy: lost.seal)])
            _ = try await trial.take(lost, 1)
            try await lost.noteLastChance(of: "seen")
            try await trial.silence(lost)
            try await trial.eventuallyRecovered("it is told", onBuried: { told.add($0.map(\.id)) }) {
                told.all == ["seen"]
            }
            let second = try await trial.consumer()
            try await broker.send([trial.task("declared", losses: 2, sealedBy: second.seal)])
            _ = try await trial.take(second, 1)
            try await second.noteLastChance(of: "declared")
            try await trial.silence(second)
            let buried = try await broker.declareLost(second.identity, because: "process 7 was ended by signal 9")
            try trial.equal(buried.map(\.id), ["declared"], "what is said of a process that was declared lost")
            for (id, cause) in [("seen", "whose lease lapsed"), ("declared", "process 7 was ended by signal 9")] {
                let text = try await broker.status(of: id)?.exception?.text ?? ""
                try trial.hold(text.hasSuffix(cause), "the failure of \(id) says how its process ended: \(text)")
            }
            try await trial.expectNothing()
        },

        BrokerClause(
            "lost too often, for a time",
            "The failure of a task that was lost too often is kept as long as whoever puts it aside says."
        ) { trial in
            let broker = try await trial.broker(with: (any SupervisedBroker).self)
            let lifetimes = StatusLifetimes(trial.fixture.moment)
            let told = Tally<String>()
            let lost = try await trial.consumer(lifetimes: lifetimes)
            try await broker.send([trial.task("seen", losses: 2, sealedBy: lost.seal)])
            _ = try await trial.take(lost, 1)
            try await lost.noteLastChance(of: "seen")
            try await trial.silence(lost)
            try await trial.eventuallyRecovered(
                "it is told", lifetimes: lifetimes, onBuried: { told.add($0.map(\.id)) }
            ) {
                told.all == ["seen"]
            }
            let second = try await trial.consumer()
            try await broker.send([trial.task("declared", losses: 2, sealedBy: second.seal)])
            _ = try await trial.take(second, 1)
            try await second.noteLastChance(of: "declared")
            try await trial.silence(second)
            let buried = try await broker.declareLost(second.identity, because: nil, lifetimes: lifetimes)
            try trial.equal(buried.map(\.timeToLive), [trial.fixture.moment], "how long that is said to be kept")
            try await trial.fixture.pass(trial.fixture.moment * 2)
            for id in ["seen", "declared"] {
                let status = try await broker.status(of: id)
                try trial.hold(status == nil, "the failure of \(id) is forgotten when its time is over")
            }
        },
    ]
}

extension Trial {
    /// Waits until a condition holds that follows from a loss, while so much time passes that it must, somebody being there
    /// to recover. What cannot be looked at is waited for.
    func eventuallyRecovered(
        _ what: String, lifetimes: StatusLifetimes = .default,
        onBuried: @escaping @Sendable ([StatusRecord]) -> Void = { _ in },
        _ condition: @Sendable @escaping () async throws -> Bool
    ) async throws {
        let witness = try await consumer(["elsewhere"], lifetimes: lifetimes, onBuried: onBuried)
        let passing = Task { try await fixture.pass(fixture.recovery) }
        defer { passing.cancel() }
        if try await broker().power(.inspection) != nil {
            try await eventually(what, within: fixture.recovery + Self.patience, condition)
        } else {
            try await passing.value
        }
        await witness.close()
    }
}
