// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

extension BrokerClause {
    static let orders: [BrokerClause] = [
        BrokerClause("a paused queue", "Nobody takes from a paused queue until it is resumed; other queues go on.") {
            trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let before = try await trial.consumer(["q", "other"])
            try await trial.send("a", by: broker)
            let changes = [try await broker.pause("q"), try await broker.pause("q")]
            try trial.equal(changes, [true, false], "whether pausing twice was news")
            try await trial.send("x", to: "other", by: broker)
            let other = try await trial.take(before, 1)
            try trial.equal(other.map(\.text), ["x"], "what a consumer gets that was there before")
            try await trial.expectNothing()
            let claim = Task { try await trial.take(before, 1) }
            let resumed = [try await broker.resume("q"), try await broker.resume("q")]
            try trial.equal(resumed, [true, false], "whether resuming twice was news")
            let deliveries = try await claim.value
            try trial.equal(deliveries.map(\.text), ["a"], "what comes when the queue is resumed")
            try await trial.finish(deliveries + other, by: before)
        },

        BrokerClause(
            "a pause that has returned",
            "Once a pause has returned nothing is taken, not even by who waited for work before."
        ) { trial in
            let broker = try await trial.broker(with: (any ControllableBroker & InspectableBroker).self)
            let consumer = try await trial.consumer(["q", "other"])
            for round in 0..<5 {
                let claim = Task { try await trial.take(consumer, 1) }
                // It has begun to wait before, in most of the rounds.
                try await trial.fixture.pass(.milliseconds(20 * round))
                try await broker.pause("q")
                try await trial.send("paused \(round)", by: broker)
                try await trial.send("other \(round)", to: "other", by: broker)
                let other = try await claim.value
                try trial.equal(other.map(\.text), ["other \(round)"], "what is taken beside a paused queue")
                let report = try await broker.queues().first { $0.queue == "q" }
                try trial.equal(
                    [report?.waiting, report?.leased], [1, 0], "what waits, and what is held, of the paused one")
                try await broker.resume("q")
                let deliveries = try await trial.take(consumer, 1)
                try trial.equal(deliveries.map(\.text), ["paused \(round)"], "what comes when it is resumed")
                try await trial.finish(deliveries + other, by: consumer)
            }
        },

        BrokerClause(
            "revoked, then sent",
            "What was revoked before it was sent is known to be by whoever claims it, however it waited."
        ) { trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let consumer = try await trial.consumer()
            for round in 0..<10 {
                let claim = Task { try await trial.take(consumer, 1) }
                try await trial.fixture.pass(.milliseconds(5 * round))
                let task = trial.task("\(round)")
                try await broker.revoke([task.id], terminating: false, timeToLive: .seconds(3_600))
                try await broker.send([task])
                let deliveries = try await claim.value
                try trial.hold(consumer.isRevoked(task.id), "it is known to be revoked in round \(round)")
                try await trial.finish(deliveries, by: consumer)
            }
        },

        BrokerClause("a pause does not touch what is held", "What was taken before a pause is settled as ever.") {
            trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", by: broker)
            let deliveries = try await trial.take(consumer, 2)
            try await broker.pause("q")
            try await trial.settle(
                [
                    Settlement(deliveries[0], [.store(trial.status("a", .success))]),
                    .handingBack(deliveries[1]),
                ], by: consumer)
            await consumer.close()
            try await trial.expectNothing()
            try await broker.resume("q")
            try await trial.expectWaiting(["b"])
        },

        BrokerClause(
            "a revoked task", "A consumer knows at each claim what was revoked before it, whoever revoked it and when."
        ) { trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let early = try await trial.consumer()
            try await broker.revoke(["a", "z"], terminating: false, timeToLive: .seconds(3_600))
            try await broker.send([trial.task("a"), trial.task("b")])
            let first = try await trial.take(early, 1)
            try trial.equal(first.map(\.text), ["a"], "what is claimed, revoked or not")
            try trial.hold(early.isRevoked("a"), "a consumer opened before the revocation knows of it")
            try trial.hold(!early.isRevoked("b"), "what was not revoked is not said to be")
            await early.close()
            let late = try await trial.consumer()
            let both = try await trial.take(late, 2)
            try trial.equal(both.map { late.isRevoked($0.text) }, [true, false], "what a later consumer knows")
            try await broker.revoke(["c"], terminating: false, timeToLive: .seconds(3_600))
            try await broker.send([trial.task("c")])
            let third = try await trial.take(late, 1)
            try trial.hold(late.isRevoked("c"), "a consumer knows what was revoked before its last claim")
            try await trial.finish(both + third, by: late)
        },

        BrokerClause(
            "revoked while delayed", "A delayed task that is revoked is removed, and its state is REVOKED."
        ) {
            trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let moment = trial.fixture.moment
            let due = trial.fixture.now + moment.seconds * 2
            try await broker.send(["a", "b"].map { trial.task($0, dueAt: due) })
            let removed = try await trial.broker(with: (any ControllableBroker).self).revoke(
                ["a", "elsewhere"], terminating: false, timeToLive: .seconds(3_600))
            try trial.equal(removed, ["a"], "what was delayed")
            // A second message of the same task goes, too.
            try await broker.send([trial.task("c", dueAt: due), trial.task("c", dueAt: due)])
            let both = try await trial.broker(with: (any ControllableBroker).self).revoke(
                ["c"], terminating: false, timeToLive: .seconds(3_600))
            try trial.equal(both, ["c"], "what was delayed twice")
            let status = try await broker.status(of: "a")
            try trial.equal(status?.state, .revoked, "its state")
            let consumer = try await trial.consumer()
            async let _: Void = trial.fixture.pass(moment * 4)
            let deliveries = try await trial.take(consumer, 1)
            try trial.equal(deliveries.map(\.text), ["b"], "what becomes due")
            try await trial.finish(deliveries, by: consumer)
            try await trial.expectNothing()
        },

        BrokerClause(
            "revoked, for a time", "The state REVOKED of a delayed task is kept as long as was said with the order."
        ) { trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let moment = trial.fixture.moment
            let due = trial.fixture.now + 3_600
            try await broker.send(["short", "long"].map { trial.task($0, dueAt: due) })
            try await broker.revoke(
                ["short"], terminating: false, timeToLive: .seconds(3_600), statusLifetime: moment)
            try await broker.revoke(
                ["long"], terminating: false, timeToLive: .seconds(3_600), statusLifetime: .seconds(3_600))
            try await trial.fixture.pass(moment * 2)
            let short = try await broker.status(of: "short")
            try trial.hold(short == nil, "the state is forgotten when its time is over")
            let long = try await broker.status(of: "long")
            try trial.equal(long?.state, .revoked, "the state that is kept for longer")
        },

        BrokerClause("revoked while it runs", "Holders are told of tasks to end, where that is wished, and only there.")
        {
            trial in
            let broker = try await trial.broker(with: (any ControllableBroker).self)
            let told = Tally<String>()
            let consumer = try await trial.consumer { ids in told.add(ids) }
            try await broker.send([trial.task("spared"), trial.task("ended")])
            let deliveries = try await trial.take(consumer, 2)
            try await broker.revoke(["spared"], terminating: false, timeToLive: .seconds(3_600))
            try await trial.eventually("the holder is told") {
                // Told again until it has heard: it may only just have begun to listen.
                try await broker.revoke(["ended"], terminating: true, timeToLive: .seconds(3_600))
                return !told.all.isEmpty
            }
            try trial.equal(Set(told.all), ["ended"], "what the holder was told to end")
            try await trial.finish(deliveries, by: consumer)
        },
    ]
}
