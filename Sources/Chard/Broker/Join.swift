// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A join that is opened: the members of a group whose ends somebody waits for, together.
///
/// A join is what carries Celery's chord, and everything else that goes on once several tasks have ended. It is a set of ends
/// by the id of the member, so that a member counts once, however often it runs. Opened anew under the same id it begins anew.
public struct JoinOpening: Sendable, Hashable {
    /// The id of the group.
    public var group: String
    /// How many members are to end.
    public var size: Int
    /// Celery's result tuples of the members, where a member is a group itself: the JSON that `GroupResult.save` stores.
    public var members: [UInt8]?
    /// How long the join is kept from its last change on; `nil` means for ever.
    public var timeToLive: Duration?
    /// Whether a join of that id begins anew; if not, one that is there, open or over, stays as it is. That is for openings in a
    /// step of their own, which come again after a crash, or late: what was counted meanwhile must stay.
    public var beginsAnew = true

    /// Makes an opening.
    public init(group: String, size: Int, members: [UInt8]? = nil, timeToLive: Duration?) {
        self.group = group
        self.size = size
        self.members = members
        self.timeToLive = timeToLive
    }
}

/// Members that are added to a join that is open, by a member that has not ended.
public struct JoinGrowth: Sendable, Hashable {
    /// The id of the group.
    public var group: String
    /// How many more are to end.
    public var count: Int

    /// Makes a growth.
    public init(group: String, count: Int) {
        self.group = group
        self.count = count
    }
}

/// The end of one member of a join, to be counted in the step that settles the member.
public struct JoinPart: Sendable, Hashable {
    /// What the other effects of its step are, besides the member's own end.
    public enum Closing: Sendable, Hashable {
        /// What follows once all members have succeeded.
        case success
        /// What follows since a member has not. The ends are kept, for a member that is run again by hand.
        case failure
        /// The same, without waiting for the other members.
        case firstFailure
    }

    /// The id of the group.
    public var group: String
    /// The id of the member.
    public var member: String
    /// Its place in the group; those without one come last.
    public var index: Int?
    /// Whether it succeeded. The first end of a member counts, but a success counts over an end that was none.
    public var isSuccess: Bool
    /// The end as Celery keeps it: `[1, id, state, result]`.
    public var end: [UInt8]
    /// How long the join is kept from now on; `nil` means for ever.
    public var timeToLive: Duration?
    /// Whether its step holds what follows the join, and which; `nil` where this end is counted and nothing else.
    public var closing: Closing?
    /// How many members are to end, where the join was not opened.
    public var size: Int?

    /// Makes a part.
    public init(
        group: String, member: String, index: Int?, isSuccess: Bool, end: [UInt8], timeToLive: Duration?,
        closing: Closing? = nil, size: Int? = nil
    ) {
        self.group = group
        self.member = member
        self.index = index
        self.isSuccess = isSuccess
        self.end = end
        self.timeToLive = timeToLive
        self.closing = closing
        self.size = size
    }
}

/// What a join has to say to a part.
///
/// The last member must write what follows the join in the step that writes its own end, or a worker killed in between would
/// lose it. What follows depends on all ends. So the last one is told that it is the last, and nothing of its step is written;
/// it reads the ends and comes again with a closing part. The ends cannot change meanwhile: whoever is missing is the last one
/// itself.
public enum JoinAnswer: Sendable, Hashable {
    /// Its end is written. So many have ended, of so many, where that is known already.
    case counted(Int, of: Int?)
    /// Nothing is written: this is the last end. It has to come again, with what follows.
    case last
    /// Its end and what follows are written, and the join is over.
    case closed
    /// Nothing is written of a closing part: members were added meanwhile. It has to come again as one that only counts.
    case early
    /// The join is over already: an end that only counts is written, without the join; of a closing part nothing is.
    case late
    /// Nothing is written: a Celery worker is just sending what follows. It has to come again in a moment.
    case claimed

    /// Whether the step was written.
    public func isWritten(closing: JoinPart.Closing?) -> Bool {
        switch self {
        case .counted, .closed: true
        case .late: closing == nil
        case .last, .early, .claimed: false
        }
    }
}

/// A result store that keeps joins.
public protocol JoinStore: ResultStore {
    /// Opens joins.
    func open(_ joins: [JoinOpening]) async throws

    /// Counts an end in a step of its own: where results are not kept in the broker that holds the member's message.
    func join(_ part: JoinPart) async throws -> JoinAnswer

    /// The ends that were counted, in the order of the members' places.
    func ends(of group: String) async throws -> [[UInt8]]

    /// How many of these stand at a place or before it; `nil` is where those without a place are, behind all others.
    func countEnds(of group: String, upTo index: Int?) async throws -> Int

    /// What was stored of the members of a group whose members are groups; see ``JoinOpening/members``.
    func members(of group: String) async throws -> [UInt8]?
}

/// What is known of a join when a part comes: the rule that brokers share. Redis has it as Lua.
package struct JoinFigures {
    /// How many members are to end; `nil` if the join was not opened, or was forgotten.
    package var size: Int?
    /// How many have.
    package var count: Int
    /// Whether this member's end was counted before, and if so, whether it was a success.
    package var known: Bool?
    /// Whether what follows was sent.
    package var isClosed: Bool

    package init(size: Int?, count: Int, known: Bool?, isClosed: Bool) {
        self.size = size
        self.count = count
        self.known = known
        self.isClosed = isClosed
    }

    /// Whether this end is to be written in the place of what is known.
    package func isNew(_ part: JoinPart) -> Bool { known.map { !$0 && part.isSuccess } ?? true }

    package func answer(to part: JoinPart) -> JoinAnswer {
        // A member of a join that has failed may have been run again by hand, and then it may succeed as a whole.
        if isClosed, size == nil || known != false || !part.isSuccess { return .late }
        let count = count + (known == nil ? 1 : 0)
        let size = size ?? part.size
        if let size, count >= size { return part.closing == nil ? .last : .closed }
        switch part.closing {
        case nil: return .counted(count, of: size)
        case .firstFailure: return .closed
        case .success, .failure: return .early
        }
    }
}
