// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension ScriptCall {
    /// Adds effects as the scripts take them.
    ///
    /// - Parameters:
    ///   - list: The waiting list of the message that the step takes away, to which it may be put back.
    ///   - now: The server's time, in seconds since 1970.
    mutating func append(
        _ effects: Effects, from list: String = "", _ keys: RedisKeys, _ settings: RedisSettings, now: Double
    ) {
        append(effects.count)
        for effect in effects {
            switch effect {
            case .push(let message): PushEffect.append(message, to: &self, keys, now: now)
            case .putBack(let form): PutBackEffect.append(form, from: list, to: &self)
            case .store(let status): StoreEffect.append(status, to: &self, keys)
            case .bury(let letter): BuryEffect.append(letter, to: &self, keys, settings)
            case .open(let join): OpenEffect.append(join, to: &self, keys)
            case .grow(let growth): GrowEffect.append(growth, to: &self, keys)
            case .join(let part): JoinEffect.append(part, to: &self, keys)
            case .record(let change): RecordEffect.append(change, to: &self, keys)
            }
        }
    }
}

extension Effect {
    /// How many keys and arguments it is in a script's call, with its name, at most.
    var words: Int {
        switch self {
        case .open: OpenEffect.words
        case .join: JoinEffect.words
        case .store: StoreEffect.words
        case .record: RecordEffect.words
        case .push, .putBack, .bury, .grow: 9
        }
    }
}

extension [Effect.Answer] {
    /// Reads what a script says that its effects have to say; also of a step that was withheld.
    init(_ reply: RESPValue) {
        self = (reply.array ?? []).compactMap { said in
            said.text.map(Effect.Answer.name) ?? said.array.flatMap(JoinAnswer.init).map(Effect.Answer.join)
        }
    }
}
