// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("Losses that are believed", .timeLimit(.minutes(1)))
struct LossSealTests {
    private func message(_ id: String = "id", losses: Int = 2, isLost: Bool = false) -> TaskMessage {
        var message = TaskMessage(task: "t", id: id, body: MessageBody(), queue: "celery")
        message.losses = losses
        if isLost { message.headers[LossSeal.lostHeader] = .integer(losses) }
        return message
    }

    @Test("the code is SipHash-2-4, as its authors give it")
    func code() {
        let key = (0..<16).map { UInt8($0) }
        let hash = SipHash(SipHash.word(key[0..<8]), SipHash.word(key[8..<16]))
        #expect(hash.hash((0..<15).map { UInt8($0) }) == 0xa129_ca61_49be_45e5)
        #expect(hash.hash([]) == 0x726f_db47_dd0e_0e31)
        #expect(hash.hash((0..<8).map { UInt8($0) }) == 0x93f5_f579_9a93_2462)
    }

    @Test("a seal is the same for whoever has the secret, through a message's text")
    func secret() throws {
        let seal = LossSeal.random()
        let other = try #require(LossSeal(secret: seal.secret))
        let sealed = seal.sealing(message(isLost: true)).encoded()
        let read = other.trusting(try TaskMessage(decoding: sealed))
        #expect(read.losses == 2 && read.headers[LossSeal.lostHeader] == 2)
        #expect(LossSeal(secret: [1, 2, 3]) == nil)
    }

    @Test("what was not sealed, or of another message, or changed later, is not believed")
    func forgeries() {
        let seal = LossSeal.random()
        var copied = message("other")
        copied.headers[LossSeal.header] = seal.sealing(message()).headers[LossSeal.header]
        var more = seal.sealing(message(losses: 1))
        more.losses = 2
        var lost = seal.sealing(message())
        lost.headers[LossSeal.lostHeader] = 2
        var wrong = message()
        wrong.headers[LossSeal.header] = 5
        for forged in [
            message(), message(losses: .max), LossSeal.random().sealing(message()), copied, more, lost, wrong,
            message(losses: 0, isLost: true),
        ] {
            let trusted = seal.trusting(forged)
            #expect(trusted.losses == 0 && trusted.headers[LossSeal.lostHeader] == nil)
        }
        #expect(seal.sealing(message()).retried(eta: nil).headers[LossSeal.header] == nil)
    }

    @Test("messages that claim losses start at once, as many as there are slots, and none is given up for lost")
    func together() async throws {
        let (app, broker) = makeApp()
        let gate = Gate()
        let task = app.task("t") { (context: TaskContext) in
            try await gate.pass()
            return context.losses
        }
        let forged = (0..<8).map { message("\($0)", isLost: $0 == 7) }
        try await broker.send(forged.map(\.outgoing))
        try await withWorker(app, concurrency: 8) { _ in
            try await eventually("all have started") { gate.arrivals == 8 }
            gate.open()
            for message in forged {
                #expect(try await app.result(of: message.id).value(timeout: .seconds(20)) == 0)
            }
        }
        _ = task
    }
}
