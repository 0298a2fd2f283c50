// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import HTTPTypes

/// All that a filter finds, to be acted on: as many as a batch has.
struct Selection: Sendable {
    /// What is selected.
    enum Kind: String, Sendable, CaseIterable {
        case tasks, delayed, dead

        /// What can be done to it.
        var acts: [String] {
            switch self {
            case .tasks: ["retry", "run", "cancel", "delete"]
            case .delayed: ["run", "cancel", "move"]
            case .dead: ["requeue", "drop"]
            }
        }

        /// The filters of its page.
        var parameters: [Page.Parameter] {
            switch self {
            case .tasks: TaskFilter.parameters
            case .delayed: TaskFilter.parameters.filter { $0.name == "queue" || $0.name == "task" }
            case .dead: DeadList.parameters
            }
        }
    }

    var rows: [TaskRow] = []
    /// That there are more, where that is so.
    var note: String?

    /// The filters of all kinds.
    static let parameters =
        TaskFilter.parameters + DeadList.parameters.filter { $0.name == "reason" || $0.name == "like" }

    /// - Throws: ``PageError`` where a filter is none.
    static func find(
        _ kind: Kind, _ question: Question, _ filter: (String) -> String?
    ) async throws -> Selection {
        let most = Batches.mostIDs
        var selection = Selection()
        switch kind {
        case .tasks, .delayed:
            var wanted = try TaskFilter(now: question.now) { name in
                kind.parameters.contains { $0.name == name } ? filter(name) : nil
            }
            if kind == .delayed { wanted.state = .delayed }
            let list = try await TaskList.find(wanted, question, from: 0, limit: most, budget: most)
            selection.rows = list.rows
            let isCut = (list.total ?? 0) > list.rows.count
            selection.note = list.note ?? (isCut ? TaskList.note(list.rows.count, of: list.total ?? 0) : nil)
        case .dead:
            let list = try await DeadList.find(question, budget: most, filter)
            selection.rows = list.letters.map { TaskRow($0.letter) }
            selection.note = list.note
        }
        // Several attempts of one task are one task; what cannot be read has no id.
        var seen: Set<String> = []
        selection.rows = selection.rows.filter { !$0.id.isEmpty && seen.insert($0.id).inserted }
        return selection
    }

    /// - Throws: ``PageError`` where the words name nothing that can be done.
    static func kind(_ word: String?, doing act: String?) throws -> (kind: Kind, act: String) {
        guard let kind = word.flatMap(Kind.init) else {
            throw PageError(
                .badRequest, "\"of\" must be one of \(Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
        }
        guard let act, kind.acts.contains(act) else {
            throw PageError(
                .badRequest, "\"act\" must be one of \(kind.acts.joined(separator: ", ")) for \(kind.rawValue).")
        }
        return (kind, act)
    }
}
