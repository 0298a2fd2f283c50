// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials

/// Joins: the members of a group end, and what follows is written once, with the end of the last of them.
extension BrokerClause {
    static let joins: [BrokerClause] = [
        BrokerClause("ends are counted", "The end of each member is kept, in the order of their places.") { trial in
            let (store, consumer) = try await trial.joining(3)
            let said = try await trial.end("b", 1, by: consumer)
            try trial.equal(said, Receipt(.settled, answers: [.join(.counted(1, of: 3))]), "the first receipt")
            try trial.equal(
                try await trial.end("c", nil, by: consumer).joinAnswers.first, .counted(2, of: 3), "the second")
            try trial.equal(try await store.status(of: "b")?.state, .success, "the status beside it")
            try trial.equal(try await store.ends(of: "g"), [trial.joined("b"), trial.joined("c")], "the ends")
        },

        BrokerClause("the last of a join", "The last one is told, writes nothing, and comes again with what follows.") {
            trial in
            let (store, consumer) = try await trial.joining(2)
            _ = try await trial.end("a", 0, by: consumer)
            let delivery = try await trial.member("b", by: consumer)
            let receipts = try await consumer.settle([trial.settlement(delivery, "b", 1)])
            try trial.equal(receipts, [Receipt(.withheld, answers: [.join(.last)])], "the receipt of the last one")
            try trial.equal(try await store.status(of: "b")?.state, nil, "the status of the last one, withheld")
            try trial.equal(try await store.ends(of: "g"), [trial.joined("a")], "the ends, the last one not among them")
            let closed = try await consumer.settle([trial.settlement(delivery, "b", 1, closing: .success)])
            try trial.equal(closed, [Receipt(.settled, answers: [.join(.closed)])], "the receipt, closing")
            try trial.equal(try await store.status(of: "b")?.state, .success, "the status of the last one")
            try trial.equal(try await store.ends(of: "g"), [], "the ends once the join is over")
            await consumer.close()
            try await trial.expectWaiting(["body"], in: "next")
            try await trial.expectNothing()
        },

        BrokerClause("a member counts once", "However often a member runs and whatever it comes to, it counts once.") {
            trial in
            let (store, consumer) = try await trial.joining(2)
            _ = try await trial.end("a", 0, by: consumer)
            try trial.equal(
                try await trial.end("a", 0, by: consumer).joinAnswers.first, .counted(1, of: 2), "the second end")
            try trial.equal(
                try await trial.end("a", 0, isSuccess: false, by: consumer).joinAnswers.first, .counted(1, of: 2),
                "a failure")
            try trial.equal(try await store.ends(of: "g"), [trial.joined("a")], "the ends: the first one")
        },

        BrokerClause(
            "members that end together",
            "Of many ends in one batch each is counted, in their order; the last one is told."
        ) {
            trial in
            let (store, consumer) = try await trial.joining(60)
            func end(_ members: [Int]) async throws -> [Receipt] {
                for member in members { try await trial.send("\(member)", by: try await trial.broker()) }
                let held = try await trial.take(consumer, members.count)
                return try await consumer.settle(
                    zip(held, members).map { trial.settlement($0, "\($1)", $1) })
            }
            let first = try await end(Array(0..<40))
            try trial.equal(
                first, (1...40).map { Receipt(.settled, answers: [.join(.counted($0, of: 60))]) }, "the first receipts")
            try trial.equal(try await store.status(of: "39")?.state, .success, "the status beside an end")
            // One of them ends a second time.
            let second = try await end([30] + Array(40..<59))
            try trial.equal(
                second, (40...59).map { Receipt(.settled, answers: [.join(.counted($0, of: 60))]) },
                "the receipts of a batch with one that was counted before")
            let third = try await end(Array(20..<39) + [59])
            try trial.equal(
                third.map(\.joinAnswers), Array(repeating: [.counted(59, of: 60)], count: 19) + [[.last]],
                "what the join says to a batch with the last one")
            try trial.equal(
                try await store.ends(of: "g"), (0..<59).map { trial.joined("\($0)") },
                "the ends, the last not among them")
            try trial.equal(try await store.status(of: "59")?.state, nil, "the status of the last one, withheld")
        },

        BrokerClause("a join that is over", "A member that comes after the join is settled, and sends nothing more.") {
            trial in
            let (_, consumer) = try await trial.joining(1)
            let delivery = try await trial.member("a", by: consumer)
            _ = try await consumer.settle([trial.settlement(delivery, "a", 0, closing: .success)])
            let again = try await trial.member("a", by: consumer)
            let closing = try await consumer.settle([trial.settlement(again, "a", 0, closing: .success)])
            try trial.equal(closing, [Receipt(.withheld, answers: [.join(.late)])], "the receipt, closing")
            let counting = try await consumer.settle([trial.settlement(again, "a", 0)])
            try trial.equal(counting, [Receipt(.settled, answers: [.join(.late)])], "the receipt, counting")
            await consumer.close()
            try await trial.expectWaiting(["body"], in: "next")
            try await trial.expectNothing()
        },

        BrokerClause("closing too early", "What follows a join is not written before all members have ended.") {
            trial in
            let (store, consumer) = try await trial.joining(2)
            let delivery = try await trial.member("a", by: consumer)
            let receipts = try await consumer.settle([trial.settlement(delivery, "a", 0, closing: .success)])
            try trial.equal(receipts, [Receipt(.withheld, answers: [.join(.early)])], "the receipt")
            try trial.equal(try await store.ends(of: "g"), [], "the ends")
            let counting = try await consumer.settle([trial.settlement(delivery, "a", 0)])
            try trial.equal(counting.first?.joinAnswers.first, .counted(1, of: 2), "then, counting")
        },

        BrokerClause("a failed join mended", "A member that is run again by hand and succeeds takes a failed join on.")
        {
            trial in
            let (store, consumer) = try await trial.joining(2)
            _ = try await trial.end("a", 0, isSuccess: false, by: consumer)
            let b = try await trial.member("b", by: consumer)
            let failed = try await consumer.settle([trial.settlement(b, "b", 1, closing: .failure)])
            try trial.equal(failed, [Receipt(.settled, answers: [.join(.closed)])], "the receipt of the failure")
            let late = try await trial.end("b", 1, by: consumer)
            try trial.equal(late.joinAnswers.first, .late, "a second end of a success")
            let a = try await trial.member("a", by: consumer)
            let last = try await consumer.settle([trial.settlement(a, "a", 0)])
            try trial.equal(last, [Receipt(.withheld, answers: [.join(.last)])], "the receipt of the one that failed")
            try trial.equal(
                try await store.ends(of: "g"), [trial.joined("a", isSuccess: false), trial.joined("b")], "the ends")
            let mended = try await consumer.settle([trial.settlement(a, "a", 0, closing: .success)])
            try trial.equal(mended, [Receipt(.settled, answers: [.join(.closed)])], "the receipt, closing")
            try trial.equal(try await store.ends(of: "g"), [], "the ends once all is well")
        },

        BrokerClause(
            "a join unopened", "Members that end before their join is opened, or after it was forgotten, count."
        ) {
            trial in
            let store = try await trial.broker(with: (any Broker & JoinStore).self)
            let consumer = try await trial.consumer()
            try trial.equal(
                try await trial.end("a", 0, by: consumer).joinAnswers.first, .counted(1, of: nil), "the receipt")
            try trial.equal(try await store.ends(of: "g"), [trial.joined("a")], "the ends")
        },

        BrokerClause("a join whose parts know its size", "A join that nobody opened is as large as its parts say.") {
            trial in
            let store = try await trial.broker(with: (any Broker & JoinStore).self)
            var part = trial.part("a", 0)
            part.size = 2
            try trial.equal(try await store.join(part), .counted(1, of: 2), "the first")
            part = trial.part("b", 1)
            part.size = 2
            try trial.equal(try await store.join(part), .last, "the last")
            part.closing = .success
            try trial.equal(try await store.join(part), .closed, "the last, closing")
            part = trial.part("a", 0)
            part.size = 2
            try trial.equal(try await store.join(part), .late, "one that comes again")
        },

        BrokerClause(
            "a join that ends at the first failure",
            "The first failure closes it at once; all that comes later is late."
        ) { trial in
            let store = try await trial.broker(with: (any Broker & JoinStore).self)
            func part(_ member: String, _ place: Int, isSuccess: Bool = false) -> JoinPart {
                var part = trial.part(member, place, isSuccess: isSuccess, closing: isSuccess ? nil : .firstFailure)
                part.size = 4
                return part
            }
            try trial.equal(try await store.join(part("a", 0, isSuccess: true)), .counted(1, of: 4), "a success")
            try trial.equal(try await store.join(part("b", 1)), .closed, "the first failure")
            try trial.equal(try await store.join(part("c", 2)), .late, "the second one")
            try trial.equal(try await store.join(part("d", 3, isSuccess: true)), .late, "a success after that")
        },

        BrokerClause(
            "members that are added", "A join waits for members that are added while it is open, and only then."
        ) {
            trial in
            let (store, consumer) = try await trial.joining(1)
            func grow(_ count: Int, _ group: String = "g") async throws {
                let isWritten = try await consumer.report([.grow(JoinGrowth(group: group, count: count))])
                try trial.hold(isWritten, "a report is written while the lease holds")
            }
            try await grow(2)
            try trial.equal(
                try await trial.end("a", 0, by: consumer).joinAnswers.first, .counted(1, of: 3),
                "the one that was there")
            try await grow(1)
            for (member, count) in [("b", 2), ("c", 3)] {
                let said = try await trial.end(member, 0, by: consumer).joinAnswers.first
                try trial.equal(said, .counted(count, of: 4), "\(member), which was added")
            }
            let delivery = try await trial.member("d", by: consumer)
            let receipts = try await consumer.settle([
                trial.settlement(delivery, "d", 0), trial.settlement(delivery, "d", 0, closing: .success),
            ])
            try trial.equal(receipts.map { $0.joinAnswers.first }, [.last, .closed], "the last one")
            try await grow(1)
            try await grow(1, "unknown")
            try trial.equal(try await store.join(trial.part("a", 0)), .late, "one that comes again")
            var alone = trial.part("x", 0)
            alone.group = "unknown"
            try trial.equal(try await store.join(alone), .counted(1, of: nil), "a join that was not opened")
        },

        BrokerClause(
            "members that end together, of a join that nobody opened",
            "Of many ends in one batch that say how many there are the last one is told."
        ) { trial in
            let (_, consumer) = try await trial.joining(1)
            for member in 0..<40 { try await trial.send("\(member)", by: try await trial.broker()) }
            let held = try await trial.take(consumer, 40)
            let receipts = try await consumer.settle(
                held.enumerated().map { number, delivery in
                    var part = trial.part("\(number)", number)
                    part.group = "unopened"
                    part.size = 40
                    return Settlement(delivery, [.join(part), .store(trial.status("\(number)", .success))])
                })
            let counted = (1..<40).map { Receipt(.settled, answers: [.join(.counted($0, of: 40))]) }
            try trial.equal(receipts, counted + [Receipt(.withheld, answers: [.join(.last)])], "the receipts")
        },

        BrokerClause("a join opened by an effect", "An end may open a join; one that is opened anew begins anew.") {
            trial in
            let (store, consumer) = try await trial.joining(3)
            _ = try await trial.end("a", 0, by: consumer)
            try await trial.send("opener", by: try await trial.broker())
            let delivery = try await trial.take(consumer, 1)[0]
            let opening = JoinOpening(
                group: "g", size: 1, members: Array("[1]".utf8), timeToLive: .seconds(600))
            try await trial.settle([Settlement(delivery, [.open(opening)])], by: consumer)
            try trial.equal(try await store.ends(of: "g"), [], "the ends")
            try trial.equal(try await store.members(of: "g"), Array("[1]".utf8), "the members")
            let member = try await trial.member("a", by: consumer)
            let receipts = try await consumer.settle([trial.settlement(member, "a", 0)])
            try trial.equal(receipts.first?.joinAnswers.first, .last, "the only member of the new one")
        },

        BrokerClause("a join elsewhere", "A store that holds no messages counts ends in a step of their own.") {
            trial in
            let store = try await trial.broker(with: (any Broker & JoinStore).self)
            var opening = JoinOpening(group: "g", size: 2, timeToLive: .seconds(600))
            opening.beginsAnew = false
            try await store.open([opening])
            var part = trial.part("a", 0)
            try trial.equal(try await store.join(part), .counted(1, of: 2), "the first")
            try await store.open([opening])
            part = trial.part("b", 1)
            try trial.equal(try await store.join(part), .last, "the last")
            try trial.equal(try await store.ends(of: "g").count, 1, "the ends")
            part.closing = .success
            try trial.equal(try await store.join(part), .closed, "the last, closing")
            try await store.open([opening])
            try trial.equal(try await store.join(trial.part("a", 0)), .late, "one that comes again")
        },

        BrokerClause("a fenced end", "An end whose lease is gone is not counted, and closes nothing.") { trial in
            let (store, consumer) = try await trial.joining(1)
            let delivery = try await trial.member("a", by: consumer)
            try await trial.settle([.handingBack(delivery)], by: consumer)
            let receipts = try await consumer.settle([
                trial.settlement(delivery, "a", 0), trial.settlement(delivery, "a", 0, closing: .success),
            ])
            try trial.equal(receipts.map(\.end), [.fenced, .fenced], "the receipts")
            try trial.equal(try await store.ends(of: "g"), [], "the ends")
            await consumer.close()
            try await trial.expectNothing(in: "next")
        },

        BrokerClause("two joins in one step", "An end may count for several joins: all of it is written, or nothing.") {
            trial in
            let (store, consumer) = try await trial.joining(2)
            try await store.open([JoinOpening(group: "outer", size: 1, timeToLive: .seconds(600))])
            let delivery = try await trial.member("a", by: consumer)
            var outer = trial.part("x", 0)
            outer.group = "outer"
            var effects: Effects = [.join(trial.part("a", 0)), .join(outer)]
            let withheld = try await consumer.settle([Settlement(delivery, effects)])
            try trial.equal(
                withheld, [Receipt(.withheld, answers: [.join(.counted(1, of: 2)), .join(.last)])], "the first receipt")
            try trial.equal(try await store.ends(of: "g"), [], "the ends of the first join")
            outer.closing = .failure
            effects = [.join(trial.part("a", 0)), .join(outer)]
            let written = try await consumer.settle([Settlement(delivery, effects)])
            try trial.equal(
                written, [Receipt(.settled, answers: [.join(.counted(1, of: 2)), .join(.closed)])], "the second receipt"
            )
            try trial.equal(try await store.ends(of: "g"), [trial.joined("a")], "the ends of the first join, then")
        },

        BrokerClause("places in a join", "How many ends stand up to a place is known, those without one behind all.") {
            trial in
            let (store, _) = try await trial.joining(9)
            for (member, place) in [("a", 0), ("added", 0), ("d", 3), ("none", nil)] as [(String, Int?)] {
                _ = try await store.join(trial.part(member, place))
            }
            for (place, count) in [(0, 2), (2, 2), (3, 3), (8, 3), (nil, 4)] as [(Int?, Int)] {
                let words = place.map { "place \($0)" } ?? "those without a place"
                try trial.equal(try await store.countEnds(of: "g", upTo: place), count, "the ends up to \(words)")
            }
            try trial.equal(try await store.countEnds(of: "unknown", upTo: nil), 0, "the ends of an unknown join")
        },

        BrokerClause("a large join", "A join of thousands of members keeps every end.") { trial in
            let store = try await trial.broker(with: (any Broker & JoinStore).self)
            try await store.open([JoinOpening(group: "g", size: 2_001, timeToLive: .seconds(600))])
            for number in 0..<2_000 { _ = try await store.join(trial.part("\(number)", number)) }
            let ends = try await store.ends(of: "g")
            try trial.equal(ends.count, 2_000, "how many ends are kept")
            try trial.equal(ends.last, trial.joined("1999"), "the last of them")
        },
    ]
}

extension Trial {
    /// A store with a join `g`, opened for so many members.
    fileprivate func joining(_ size: Int) async throws -> (any Broker & JoinStore, any Consumer) {
        let store = try await broker(with: (any Broker & JoinStore).self)
        try await store.open([JoinOpening(group: "g", size: size, timeToLive: .seconds(600))])
        return (store, try await consumer())
    }

    fileprivate func joined(_ member: String, isSuccess: Bool = true) -> [UInt8] {
        let end: JSON = [1, .string(member), isSuccess ? "SUCCESS" : "FAILURE", .string("of \(member)")]
        return end.encoded()
    }

    fileprivate func part(
        _ member: String, _ index: Int?, isSuccess: Bool = true, closing: JoinPart.Closing? = nil
    ) -> JoinPart {
        JoinPart(
            group: "g", member: member, index: index, isSuccess: isSuccess, end: joined(member, isSuccess: isSuccess),
            timeToLive: .seconds(600), closing: closing)
    }

    /// Sends a member and takes it.
    fileprivate func member(_ id: String, by consumer: any Consumer) async throws -> Delivery {
        try await send(id, by: try await broker())
        return try await take(consumer, 1)[0]
    }

    /// The end of a member with its status; where it closes the join, with what follows.
    fileprivate func settlement(
        _ delivery: Delivery, _ member: String, _ index: Int?, isSuccess: Bool = true, closing: JoinPart.Closing? = nil
    ) -> Settlement {
        var effects: Effects = [
            .store(status(member, isSuccess ? .success : .failure)),
            .join(part(member, index, isSuccess: isSuccess, closing: closing)),
        ]
        if closing == .success {
            effects.append(.push(OutgoingMessage(id: "body", queue: "next", payload: Array("body".utf8))))
        }
        return Settlement(delivery, effects)
    }

    fileprivate func end(
        _ member: String, _ index: Int?, isSuccess: Bool = true, by consumer: any Consumer
    ) async throws -> Receipt {
        let delivery = try await self.member(member, by: consumer)
        return try await consumer.settle([settlement(delivery, member, index, isSuccess: isSuccess)])[0]
    }
}
