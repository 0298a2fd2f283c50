// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Records: values by name, changed by the steps that settle, and gone by themselves.
extension BrokerClause {
    static let records: [BrokerClause] = [
        BrokerClause("values of a record", "Values are kept by their names, replaced, and taken away.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            try await store.change([trial.change(.keep, "a", "1"), trial.change(.keep, "b", "2")])
            try await store.change([trial.change(.keep, "a", "3"), trial.change(.keep, "b", nil)])
            try trial.equal(try await store.record("r"), ["a": Array("3".utf8)], "the values")
            try trial.equal(try await store.value("a", of: "r"), Array("3".utf8), "one of them")
            try trial.equal(try await store.value("b", of: "r"), nil, "one that was taken away")
            try trial.equal(try await store.record("other"), nil, "a record that there is not")
            try await store.change([.forgetting("r")])
            try trial.equal(try await store.record("r"), nil, "the record, forgotten")
        },

        BrokerClause("amending a record", "What merely amends a record makes none.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            try await store.change([trial.change(.amend, "a", "1")])
            try trial.equal(try await store.record("r"), nil, "the record, amended before it was there")
            try await store.change([trial.change(.list, "a", "2"), trial.change(.amend, "b", "3")])
            try trial.equal(try await store.record("r")?.count, 2, "how many values it has")
        },

        BrokerClause("records by effects", "A settlement changes records with all the rest, or not at all.") { trial in
            let store = try await trial.broker(with: (any RecordStore & Broker).self)
            let consumer = try await trial.consumer()
            try await trial.send("a", "b", by: store)
            let deliveries = try await trial.take(consumer, 2)
            try await trial.settle(
                [
                    Settlement(
                        deliveries[0], [.record(trial.change(.list, "a", "1")), .store(trial.status("a", .success))])
                ], by: consumer)
            try trial.equal(try await store.value("a", of: "r"), Array("1".utf8), "the value")
            try trial.equal(try await store.status(of: "a")?.state, .success, "the status beside it")
            try await trial.settle([.handingBack(deliveries[1])], by: consumer)
            let fenced = try await consumer.settle([
                Settlement(deliveries[1], [.record(trial.change(.list, "b", "2"))])
            ])
            try trial.equal(fenced.map(\.end), [.fenced], "the receipt without a lease")
            try trial.equal(try await store.value("b", of: "r"), nil, "the value of what was fenced")
            try await trial.settle(
                [Settlement(try await trial.take(consumer, 1)[0], [.record(.forgetting("r"))])], by: consumer)
            try trial.equal(try await store.record("r"), nil, "the record, forgotten by an effect")
        },

        BrokerClause("records of a step withheld", "What a join withholds changes no record.") { trial in
            let store = try await trial.broker(with: (any RecordStore & JoinStore).self)
            try await store.open([JoinOpening(group: "g", size: 1, timeToLive: .seconds(600))])
            let consumer = try await trial.consumer()
            try await trial.send("a", by: store)
            let delivery = try await trial.take(consumer, 1)[0]
            let part = JoinPart(
                group: "g", member: "a", index: 0, isSuccess: true, end: Array("[1,\"a\",\"SUCCESS\",1]".utf8),
                timeToLive: .seconds(600))
            let receipts = try await consumer.settle([
                Settlement(delivery, [.join(part), .record(trial.change(.keep, "a", "1"))])
            ])
            try trial.equal(receipts.map(\.end), [.withheld], "the receipt")
            try trial.equal(try await store.record("r"), nil, "the record")
        },

        BrokerClause("records on the way", "A run changes records while its lease holds, and no longer.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            let consumer = try await trial.consumer()
            let isWritten = try await consumer.report([.record(trial.change(.keep, "a", "1"))])
            try trial.equal(isWritten, true, "whether it is written")
            try trial.equal(try await store.value("a", of: "r"), Array("1".utf8), "the value")
            await consumer.close()
            let late = try? await consumer.report([.record(trial.change(.keep, "a", "2"))])
            try trial.equal(late ?? false, false, "whether it is written without a lease")
            try trial.equal(try await store.value("a", of: "r"), Array("1".utf8), "the value, then")
        },

        BrokerClause("taking a value", "Of several who take a value one does, and with it come its effects.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            try await store.change([trial.change(.list, "a", "1"), trial.change(.list, "b", "2")])
            let again = OutgoingMessage(id: "again", queue: "q", payload: Array("again".utf8))
            let value = Array("1".utf8)
            try trial.equal(
                try await store.take("a", Array("9".utf8), of: "r", writing: [.push(again)]), false, "another value")
            let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await store.take("a", value, of: "r", writing: [.push(again)]) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            try trial.equal(taken, 1, "how many have taken it")
            try trial.equal(try await store.record("r"), ["b": Array("2".utf8)], "the values left")
            try await trial.expectWaiting(["again"])
        },

        BrokerClause("records listed", "Records made to be listed are, the newest first, each once.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            for id in ["first", "second", "third"] {
                try await store.change([
                    RecordChange(.list, id, "a", [1], timeToLive: .seconds(600)),
                    RecordChange(.list, id, "b", [1], timeToLive: .seconds(600)),
                    RecordChange(.keep, "unlisted", "a", [1], timeToLive: .seconds(600)),
                ])
            }
            try await store.change([RecordChange(.list, "first", "c", [1], timeToLive: .seconds(600))])
            let listed = try await store.listRecords(limit: 10)
            try trial.equal(Set(listed.map(\.id)), ["first", "second", "third"], "what is listed")
            try trial.equal(listed.count, 3, "how many are listed")
            try trial.hold(
                listed.allSatisfy { abs($0.since.timeIntervalSince(trial.fixture.now)) < 60 }, "they are of just now")
            try trial.equal(try await store.listRecords(limit: 2).count, 2, "how many of two")
            try await store.change([.forgetting("second")])
            try trial.equal(
                Set(try await store.listRecords(limit: 10).map(\.id)), ["first", "third"], "what is left of them")
        },

        BrokerClause("a record's end", "A record goes by itself, the last change to it deciding when.") { trial in
            let store = try await trial.broker(with: (any RecordStore).self)
            for (id, seconds) in [("short", 1), ("long", 600)] {
                try await store.change([
                    RecordChange(.keep, id, "a", [1], timeToLive: .seconds(seconds)),
                    RecordChange(.keep, id, "b", [1], timeToLive: .milliseconds(500)),
                ])
            }
            try trial.equal(try await store.record("short")?.count, 2, "the values while its time lasts")
            try await trial.fixture.pass(.milliseconds(1_200))
            try await trial.eventually("the record is gone") { try await store.record("short") == nil }
            try trial.equal(try await store.record("long")?.count, 2, "the values of one that is kept for longer")
        },
    ]
}

extension Trial {
    fileprivate func change(_ kind: RecordChange.Kind, _ name: String, _ value: String?) -> RecordChange {
        RecordChange(kind, "r", name, value.map { Array($0.utf8) }, timeToLive: .seconds(600))
    }
}
