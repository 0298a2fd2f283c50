// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Under which id the members of a header are counted that Celery may have renamed.
///
/// Celery gives the header of a chord that is a member of a group a new id whenever it freezes that group: as it does when a task in Python
/// sends the rest of its chain. Messages have the new id; the record of the workflow, written before, has the old one, of
/// which there is no join. A member that has ended says the id in its status. The body of a chord that Python has failed without a
/// request says none.
struct RenamedHeader {
    /// How a member that has failed comes to be counted.
    enum Count: Equatable {
        /// Under this id.
        case under(String)
        /// Another member has to end first, as it has to for the chord to be over.
        case later
        /// No member says an id, and none will: it is for the first of them to fail the body.
        case byBody(isFirst: Bool)
    }

    /// The id in the record.
    let id: String
    /// The tasks that each member ends with, in the order of the members.
    private let members: [[String]]

    /// - Returns: `nil` where the record has no such group.
    init?(_ id: String, in record: [String: [UInt8]]) {
        let plans = record.compactMap { WorkflowRecord.Part(name: $0.key, $0.value)?.plan }
        guard let members = plans.lazy.compactMap({ $0.members(of: id) }).first else { return nil }
        self.id = id
        self.members = members.map(\.ends)
    }

    /// - Parameter status: The stored status of a task.
    func count(
        of member: String, asking status: (_ id: String) async throws -> TaskStatus?
    ) async throws -> Count {
        var isOver = true
        for end in members.lazy.filter({ !$0.contains(member) }).joined() {
            let said = try await status(end)
            if let group = said?.groupID { return .under(group) }
            if said?.state.isReady != true { isOver = false }
        }
        return isOver ? .byBody(isFirst: members.first?.contains(member) ?? true) : .later
    }
}

extension WorkflowPlan {
    /// The members of the group of this id, wherever it stands.
    fileprivate func members(of group: String) -> [WorkflowPlan]? {
        switch self {
        case .task: nil
        case .group(group, let members): members
        case .chain(let parts), .group(_, let parts): parts.lazy.compactMap { $0.members(of: group) }.first
        }
    }

    /// The tasks that it ends with.
    fileprivate var ends: [String] {
        switch self {
        case .task(let id, _): [id]
        case .chain(let parts): parts.last?.ends ?? []
        case .group(_, let members): members.flatMap(\.ends)
        }
    }
}
