// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// How ten priorities become lists on a Redis server: kombu's `priority_steps` and `sep`, which clients and workers, Python's
/// and Swift's, must agree on.
///
/// A step takes the priorities from its own value to the next one's, exclusively. The list of the step 0 has the queue's own
/// name; the name of another is that, the separator and the step's value.
///
/// ```swift
/// // app.conf.broker_transport_options = {"priority_steps": list(range(10)), "sep": ":"}
/// RedisSettings(priorities: try PrioritySteps(Array(0...9), separator: ":"))
/// ```
public struct PrioritySteps: Sendable, Hashable {
    /// The least priority of each step, ascending; the first is 0.
    public let steps: [Int]
    /// What stands between a queue's name and a step. Kombu puts it between the parts of its routing tables, too.
    public let separator: String
    /// The index of the step of each priority, from 0 to 9.
    private let indices: [Int]

    /// What kombu's separator is, unless it is told otherwise: two characters that nobody sees.
    public static let usualSeparator = "\u{06}\u{16}"
    /// What kombu does unless it is told otherwise: the steps 0, 3, 6 and 9.
    public static let usual = PrioritySteps(checked: Priority.steps, usualSeparator)

    /// Makes steps as kombu is told them.
    /// - Throws: `BrokerError` with code `misconfigured` unless `steps` ascend from 0 to at most 9, and there is a separator.
    public init(
        _ steps: [Int] = Priority.steps, separator: String = PrioritySteps.usualSeparator
    ) throws(BrokerError) {
        guard steps.first == 0, steps.last.map({ $0 <= 9 }) == true, zip(steps, steps.dropFirst()).allSatisfy(<) else {
            throw BrokerError(
                .misconfigured,
                "the steps of priority \(steps.map(String.init).joined(separator: ",")) do not ascend from 0 to at most 9, "
                    + "as 0,3,6,9 do")
        }
        guard !separator.isEmpty else {
            throw BrokerError(
                .misconfigured, "nothing would stand between the names of queues and their steps of priority")
        }
        self.init(checked: steps, separator)
    }

    private init(checked steps: [Int], _ separator: String) {
        self.steps = steps
        self.separator = separator
        indices = (0...9).map { priority in (steps.firstIndex { $0 > priority } ?? steps.count) - 1 }
    }

    /// The index of the step that a priority belongs to; values outside 0 ... 9 are clamped.
    func index(for priority: Int) -> Int { indices[min(max(priority, 0), 9)] }

    /// The same for each of the ten, a digit each: as scripts take it.
    var digits: String { indices.map(String.init).joined() }
}

extension PrioritySteps {
    /// Reads the words of a URL or a setting, such as `0,1,2`; `nil` where nothing is said.
    static func steps(in text: String?) throws(BrokerError) -> [Int]? {
        guard let text else { return nil }
        let words = text.split(separator: ",", omittingEmptySubsequences: false)
        let steps = words.compactMap { word in Int(word.filter { $0 != " " }) }
        guard steps.count == words.count else {
            throw BrokerError(
                .misconfigured, "the steps of priority are no whole numbers with commas between, such as 0,3,6,9")
        }
        return steps
    }
}
