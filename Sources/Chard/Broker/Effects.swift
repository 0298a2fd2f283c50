// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Effects in the order in which they are written: that in which they were added, but for the parts of joins, which come
/// first, since they may withhold all the others.
///
/// A collection of its own because of the end that nearly every task has: one status, which costs no array here.
public struct Effects: Sendable, RandomAccessCollection, ExpressibleByArrayLiteral {
    /// The first effect, where it is a status.
    private var status: StatusRecord?
    private var others: [Effect] = []

    /// No effects.
    public init() {}

    /// These effects.
    public init(arrayLiteral elements: Effect...) {
        for effect in elements { append(effect) }
    }

    /// One status, or nothing where there is none to store.
    public init(storing status: StatusRecord?) {
        self.status = status
    }

    /// The statuses, each stored.
    public init(_ statuses: some Sequence<StatusRecord>) {
        for status in statuses { append(.store(status)) }
    }

    /// A part of other effects.
    public init(_ effects: some Sequence<Effect>) {
        for effect in effects { append(effect) }
    }

    /// Adds an effect behind the others; the part of a join behind other such parts.
    public mutating func append(_ effect: Effect) {
        switch effect {
        case .store(let status) where isEmpty:
            self.status = status
        case .join:
            if let status { others.insert(.store(status), at: 0) }
            status = nil
            others.insert(effect, at: joinParts.count)
        default:
            others.append(effect)
        }
    }

    /// Where the first effect is.
    public var startIndex: Int { 0 }
    /// How many there are.
    public var endIndex: Int { (status == nil ? 0 : 1) + others.count }

    /// The effect in this place.
    public subscript(position: Int) -> Effect {
        guard let status else { return others[position] }
        return position == 0 ? .store(status) : others[position - 1]
    }

    /// The status, where storing it is all there is.
    public var onlyStatus: StatusRecord? { others.isEmpty ? status : nil }

    /// The end of a member of a join that was opened, and that has succeeded and whose step only counts it, with its status, where
    /// these two are all there is.
    package var memberSuccess: (part: JoinPart, status: StatusRecord)? {
        guard others.count == 2, status == nil, case .join(let part) = others[0], part.isSuccess, part.closing == nil,
            part.size == nil,
            case .store(let status) = others[1], status.state == .success
        else { return nil }
        return (part, status)
    }

    /// Whether there is more than a status to store.
    package var hasOthers: Bool { !others.isEmpty }

    /// The statuses among the effects.
    public var statuses: [StatusRecord] {
        compactMap { if case .store(let status) = $0 { status } else { nil } }
    }

    /// The messages that are pushed.
    public var messages: [OutgoingMessage] {
        compactMap { if case .push(let message) = $0 { message } else { nil } }
    }

    /// How many bytes they bring the broker.
    package var size: Int { (status?.json.count ?? 0) + others.reduce(0) { $0 + $1.size } }

    /// Whether any of them is the part of a join, which would be the first.
    var hasJoinParts: Bool { if case .join = others.first { true } else { false } }

    /// The parts of joins among the effects.
    public var joinParts: [JoinPart] {
        others.compactMap { if case .join(let part) = $0 { part } else { nil } }
    }

    /// Takes out what concerns joins.
    mutating func takeJoins() -> ([JoinPart], [JoinOpening]) {
        let parts = joinParts
        let openings: [JoinOpening] = others.compactMap { if case .open(let join) = $0 { join } else { nil } }
        others.removeAll {
            switch $0 {
            case .open, .join: true
            case .push, .putBack, .store, .bury, .grow, .record: false
            }
        }
        return (parts, openings)
    }

    /// Takes the statuses out.
    mutating func takeStatuses() -> [StatusRecord] {
        defer {
            status = nil
            others.removeAll { if case .store = $0 { true } else { false } }
        }
        return statuses
    }
}
