// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Chard

@Suite("What is tried in place of an end that the broker refuses")
struct AppealTests {
    private let concluder = Concluder(
        node: "w", seal: .random(), settings: Settings(), keepsResultsElsewhere: false, keepsJoins: true,
        rules: makeApp().app.canvasRules)
    private let message = TaskMessage(task: "t", id: "a", body: MessageBody(Arguments([])), queue: "q")

    private var delivery: Delivery { Delivery(queue: "q", payload: message.encoded(), place: "q") }

    private func conclusion(_ outcome: Outcome) -> Conclusion {
        concluder.conclude(outcome, of: message, embed: nil, task: nil, delivery: delivery)
    }

    /// What is tried, in words, when one after the other is refused.
    private func steps(
        _ original: Conclusion, isForGood: Bool = false, isTaking: Bool = true, after wait: Duration = .zero
    ) -> [String] {
        let start = ContinuousClock.now
        var appeal = Appeal(of: original, since: start)
        var words: [String] = []
        while words.count < 9 {
            switch appeal.step(
                because: "no", isForGood: isForGood, isTaking: isTaking, at: start + wait, concluder)
            {
            case .giveUp: return words + ["give up"]
            case .later: return words + ["later"]
            case .now(let next):
                words.append(next.settlement.effects.map(Self.word).joined(separator: "+"))
                guard let following = next.extras.appeal else { return words + ["no appeal"] }
                appeal = following
            }
        }
        return words
    }

    private static func word(_ effect: Effect) -> String {
        switch effect {
        case .push: "push"
        case .putBack(let form): form == nil ? "back" : "counted"
        case .store(let status): status.state.rawValue
        case .bury(let letter): letter.reason.rawValue
        case .open: "open"
        case .grow: "grow"
        case .join(let part): part.isSuccess ? "join" : "join failed"
        case .record(let change): "record \(change.name)"
        }
    }

    @Test("the member of a chord whose end is refused counts as failed, so that the body is told")
    func member() throws {
        var member = message
        let embed = Embed(chord: ["task": "body", "options": ["task_id": "b"]])
        member.body = TaskMessage.Body(MessageBody(Arguments([]), embed: embed))
        member.group = "g"
        let delivery = Delivery(queue: "q", payload: member.encoded(), place: "q")
        let success = concluder.conclude(.success([0x31]), of: member, embed: embed, task: nil, delivery: delivery)
        #expect(success.settlement.effects.map(Self.word) == ["join", "SUCCESS"])
        #expect(steps(success, isForGood: true).first == "join failed+FAILURE+record failed:a")
    }

    @Test("what may be mended is tried again for a while, as long as the worker goes on")
    func patience() {
        let success = conclusion(.success([]))
        #expect(steps(success) == ["later"])
        #expect(steps(success, after: Appeal.patience).first == "FAILURE")
        #expect(steps(success, isTaking: false).first == "FAILURE")
        #expect(steps(success, isForGood: true).first == "FAILURE")
    }

    @Test("a success becomes a failure, or else a dead letter, or waits; it counts as lost only when the worker ends")
    func success() {
        let success = conclusion(.success([]))
        #expect(steps(success, isForGood: true) == ["FAILURE", "resultNotStored", "later"])
        #expect(
            steps(success, isForGood: true, isTaking: false) == ["FAILURE", "resultNotStored", "counted", "give up"])
    }

    @Test("what has not succeeded is kept as well as told, or only kept, or only told")
    func others() {
        let retry = conclusion(.retry(at: .now, cause: TaskError("E", "e")))
        #expect(
            steps(retry, isForGood: true) == ["FAILURE+resultNotStored", "resultNotStored", "FAILURE", "later"])
        let exhausted = conclusion(.failure(TaskError("E", "e"), keptAs: .retriesExhausted))
        #expect(
            steps(exhausted, isForGood: true) == ["FAILURE+retriesExhausted", "retriesExhausted", "FAILURE", "later"])
    }

    @Test("what is only handed back is never anything else, and counts as no loss")
    func handingBack() {
        let back = Conclusion(.handingBack(delivery), as: .none)
        #expect(steps(back, after: .seconds(60)) == ["later"])
        #expect(steps(back, isTaking: false) == ["give up"])
    }

    @Test("the failure says why, and how large the result was")
    func words() throws {
        let success = conclusion(.success(Array(repeating: 0x20, count: 100)))
        let failure = try #require(concluder.alternatives(to: success, because: "no room").first)
        let status = try #require(failure.settlement.effects.onlyStatus)
        let error = try TaskStatus(reading: status.json).exception
        #expect(error?.type == "ResultNotStored")
        #expect(error?.text.contains("no room") == true && error?.text.contains("bytes") == true, "\(error as Any)")
    }
}
