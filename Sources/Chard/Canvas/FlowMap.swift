// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which steps a flow has, and which of them wait for which: kept in the record of its workflow, so that it can go on from what has
/// failed.
struct FlowMap: Sendable, Hashable {
    /// A step.
    struct Step: Sendable, Hashable {
        var name: String
        /// The id of its task.
        var id: String
        /// The join of what it waits for.
        var join: String
        /// The names of those that it waits for, in the order of their outcomes.
        var waitsFor: [String]
        /// Whether a signal is to come, whose outcome is the first.
        var isSignal: Bool

        /// How many outcomes come before it begins.
        var outcomes: Int { waitsFor.count + (isSignal ? 1 : 0) }
    }

    /// Under which name the record has it.
    static let value = "flow"

    /// The steps, each behind those that it waits for.
    var steps: [Step]
    /// The queue of the builtin tasks that carry the flow on.
    var queue: String
    /// How often it has gone on from what had failed.
    var turn = 0

    init(steps: [Step], queue: String) {
        self.steps = steps
        self.queue = queue
    }

    init?(reading value: [UInt8]) {
        guard let json = try? JSON(parsing: value, limits: .held), let queue = json["queue"]?.string,
            let steps = json["steps"]?.array
        else { return nil }
        self.queue = queue
        turn = json["turn"]?.integer ?? 0
        self.steps = steps.compactMap { step in
            guard let name = step["name"]?.string, let id = step["id"]?.string, let join = step["join"]?.string else {
                return nil
            }
            return Step(
                name: name, id: id, join: join, waitsFor: step["after"]?.array?.compactMap(\.string) ?? [],
                isSignal: step["signal"]?.bool ?? false)
        }
    }

    func encoded() -> [UInt8] {
        let steps: [JSON] = steps.map { step in
            [
                "name": .string(step.name), "id": .string(step.id), "join": .string(step.join),
                "after": .array(step.waitsFor.map(JSON.string)), "signal": .bool(step.isSignal),
            ]
        }
        let json: JSON = ["queue": .string(queue), "turn": .integer(turn), "steps": .array(steps)]
        return json.encoded()
    }
}
