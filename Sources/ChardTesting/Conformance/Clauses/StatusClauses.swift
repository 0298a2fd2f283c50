// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension BrokerClause {
    static let statuses: [BrokerClause] = [
        BrokerClause("a status is kept", "What was stored last under an id is there, for every process.") { trial in
            let broker = try await trial.broker()
            let unknown = try await broker.status(of: "a")
            try trial.hold(unknown == nil, "nothing is stored of an unknown id")
            try await broker.store([trial.status("a", .started), trial.status("b", .success, "käse 🧀")])
            let error: JSON = ["exc_type": "E", "exc_message": ["m"], "exc_module": "swift"]
            try await broker.store([trial.status("a", .failure, error)])
            try await broker.store([])
            let other = try await trial.broker()
            let a = try await other.status(of: "a")
            try trial.equal(a?.state, .failure, "the state of a")
            try trial.equal(a?.result, error, "the result of a")
            try trial.equal(a?.id, "a", "the id in it")
            let b = try await other.status(of: "b")
            try trial.equal(b?.result, "käse 🧀", "the result of b")
        },

        BrokerClause("a SUCCESS stays", "A stored SUCCESS gives way to another SUCCESS only; all others give way.") {
            trial in
            let broker = try await trial.broker()
            for state in [TaskState.failure, .started, .revoked, .retry, .progress, .success] {
                try await broker.store([trial.status("a", state)])
                let stored = try await broker.status(of: "a")
                try trial.equal(stored?.state, state, "the state stored over one that gives way")
            }
            for state in [TaskState.started, .progress, .retry, .failure, .revoked] {
                try await broker.store([trial.status("a", state)])
                let stored = try await broker.status(of: "a")
                try trial.equal(stored?.state, .success, "the state after \(state) was stored over a SUCCESS")
            }
            try await broker.store([trial.status("a", .success, 2)])
            let stored = try await broker.status(of: "a")
            try trial.equal(stored?.result, 2, "the result of the second SUCCESS")
            // The same rule for what a settlement stores.
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            try await trial.settle(
                [Settlement(delivery, [.store(trial.status("a", .failure))])], by: consumer)
            let settled = try await broker.status(of: "a")
            try trial.equal(settled?.state, .success, "the state after a failure was settled over a SUCCESS")
        },

        BrokerClause("a status has its time", "A status is forgotten when its time to live is over, a SUCCESS too.") {
            trial in
            let broker = try await trial.broker()
            let moment = trial.fixture.moment
            try await broker.store([
                trial.status("short", .success, 1, timeToLive: moment), trial.status("long", .success, 1),
                trial.status("ever", .success, 1, timeToLive: nil),
            ])
            try await trial.fixture.pass(moment * 2)
            let short = try await broker.status(of: "short")
            try trial.hold(short == nil, "a status is gone after its time to live")
            for id in ["long", "ever"] {
                let stored = try await broker.status(of: id)
                try trial.equal(stored?.state, .success, "the state of \(id)")
            }
            let wasThere = try await broker.forget("short")
            try trial.hold(!wasThere, "what is over cannot be forgotten")
            try await broker.store([trial.status("short", .started)])
            let again = try await broker.status(of: "short")
            try trial.equal(again?.state, .started, "the state stored after a SUCCESS is over")
        },

        BrokerClause("a large status", "A result of 1 MiB is stored, and pushed, like any other.") { trial in
            let broker = try await trial.broker()
            let text = String(repeating: "0123456789abcdef", count: 1 << 16)
            let stream = try await trial.broker().statuses(of: "a")
            try await broker.store([trial.status("a", .success, .string(text))])
            let stored = try await broker.status(of: "a")
            try trial.hold(stored?.result == .string(text), "the large result is unchanged")
            let pushed = try await trial.soon("it is pushed") { try await stream.first { $0.state == .success } }
            try trial.hold(pushed?.result == .string(text), "the large result is pushed unchanged")
        },

        BrokerClause(
            "statuses are pushed",
            "A stream gives the stored status first, then each new one, to everybody who listens."
        ) { trial in
            let broker = try await trial.broker()
            try await broker.store([trial.status("a", .started)])
            let streams = [try await trial.broker(), try await trial.broker(), broker].map { $0.statuses(of: "a") }
            let (arrivals, arrived) = AsyncStream<Void>.makeStream()
            let listeners = streams.map { stream in
                Task {
                    var seen: [String] = []
                    for try await status in stream {
                        if seen.isEmpty { arrived.yield() }
                        let text = "\(status.state) \(status.result)"
                        // What is stored while a listener joins may be seen twice rather than never.
                        if seen.last != text { seen.append(text) }
                        if status.state == .success { break }
                    }
                    return seen
                }
            }
            try await trial.soon("all listeners have the stored status") {
                var count = 0
                for await _ in arrivals {
                    count += 1
                    if count == listeners.count { break }
                }
            }
            let consumer = try await trial.consumer()
            try await trial.send("a", by: broker)
            let delivery = try await trial.take(consumer, 1)[0]
            try await broker.store([trial.status("b", .success, 9)])
            try await consumer.report([trial.status("a", .progress, 1)])
            try await broker.store([trial.status("a", .progress, 2)])
            try await trial.settle(
                [Settlement(delivery, [.store(trial.status("a", .success, 3))])], by: consumer)
            for listener in listeners {
                let seen = try await trial.soon("the last status is pushed") { try await listener.value }
                try trial.equal(
                    seen, ["STARTED null", "PROGRESS 1", "PROGRESS 2", "SUCCESS 3"], "what a listener was given")
            }
        },

        BrokerClause("a status that comes later", "Who listens before anything is stored is given it when it is.") {
            trial in
            let broker = try await trial.broker()
            let stream = try await trial.broker().statuses(of: "a")
            let listener = Task { try await stream.first { $0.state.isReady } }
            try await broker.store([trial.status("a", .failure)])
            let status = try await trial.soon("the status is pushed") { try await listener.value }
            try trial.equal(status?.state, .failure, "the state pushed")
        },

        BrokerClause("what is not stored is not pushed", "A status that does not overwrite a SUCCESS is told nobody.") {
            trial in
            let broker = try await trial.broker()
            try await broker.store([trial.status("a", .success, 1)])
            let stream = try await trial.broker().statuses(of: "a")
            let (arrivals, arrived) = AsyncStream<Void>.makeStream()
            let listener = Task {
                var seen: [JSON] = []
                for try await status in stream {
                    arrived.yield()
                    if seen.last != status.result { seen.append(status.result) }
                    if status.result == 3 { break }
                }
                return seen
            }
            try await trial.soon("the stored status is given") { _ = await arrivals.first { true } }
            try await broker.store([trial.status("a", .failure, 2)])
            try await broker.store([trial.status("a", .success, 3)])
            let seen = try await trial.soon("the last status is pushed") { try await listener.value }
            try trial.equal(seen, [1, 3], "the results pushed")
        },

        BrokerClause("forgetting", "A status that is forgotten is gone; forgetting says whether there was one.") {
            trial in
            let broker = try await trial.broker()
            try await broker.store([trial.status("a", .success), trial.status("b", .success)])
            let first = try await broker.forget("a")
            let second = try await broker.forget("a")
            try trial.equal([first, second], [true, false], "what forgetting twice says")
            let a = try await broker.status(of: "a")
            try trial.hold(a == nil, "what was forgotten is gone")
            let b = try await broker.status(of: "b")
            try trial.equal(b?.state, .success, "the state of another one")
            try await broker.store([trial.status("a", .started)])
            let again = try await broker.status(of: "a")
            try trial.equal(again?.state, .started, "the state stored afterwards")
        },
    ]
}
