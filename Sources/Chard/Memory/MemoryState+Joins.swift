// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension MemoryState {
    /// The receipt of a step that a join does not let be written.
    func withheld(_ effects: Effects, now: Date) -> Receipt? {
        var answers: [Effect.Answer] = []
        for part in effects.joinParts {
            let answer = joins.answer(to: part, now: now)
            answers.append(.join(answer))
            guard answer.isWritten(closing: part.closing) else { return Receipt(.withheld, answers: answers) }
        }
        return nil
    }

    /// Writes the statuses, joins and records among effects.
    mutating func take(_ effects: Effects, now: Date) -> Receipt {
        if let withheld = withheld(effects, now: now) { return withheld }
        let own = effects.filter {
            switch $0 {
            case .store, .open, .grow, .join, .record: true
            case .push, .putBack, .bury: false
            }
        }
        return Receipt(.settled, answers: write(Effects(own), now: now))
    }
}
