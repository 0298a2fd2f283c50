// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The joins of a broker, as a value: each change is told the time.
struct JoinBook {
    private struct Join {
        var size: Int?
        var members: [UInt8]?
        var parts: [String: (part: JoinPart, turn: Int)] = [:]
        var isClosed = false
        var expiresAt: Date?
    }

    private var joins: [String: Join] = [:]
    private var turn = 0
    private var joinsToSweepAt = 1024

    /// How many joins are kept, those included whose time is over unnoticed.
    var count: Int { joins.count }

    mutating func open(_ opening: JoinOpening, now: Date) {
        sweep(now: now)
        if !opening.beginsAnew, let join = present(opening.group, now: now), join.size != nil || join.isClosed {
            return
        }
        joins[opening.group] = Join(
            size: opening.size, members: opening.members, expiresAt: Self.expiry(opening.timeToLive, now))
    }

    mutating func grow(_ growth: JoinGrowth, now: Date) {
        guard var join = present(growth.group, now: now), !join.isClosed, let size = join.size else { return }
        join.size = size + growth.count
        joins[growth.group] = join
    }

    /// What the join has to say; nothing is changed.
    func answer(to part: JoinPart, now: Date) -> JoinAnswer {
        let join = present(part.group, now: now)
        return Self.figures(of: join, part).answer(to: part)
    }

    /// Takes a part in. Returns what the join has to say, which may be that the part was not taken in.
    mutating func join(_ part: JoinPart, now: Date) -> JoinAnswer {
        sweep(now: now)
        var join = present(part.group, now: now) ?? Join()
        let figures = Self.figures(of: join, part)
        let answer = figures.answer(to: part)
        guard answer != .late, answer.isWritten(closing: part.closing) else { return answer }
        if figures.isNew(part) {
            turn += 1
            join.parts[part.member] = (part, turn)
        }
        join.isClosed = part.closing != nil
        if part.closing == .success {
            join.parts = [:]
            join.size = nil
        }
        join.expiresAt = Self.expiry(part.timeToLive, now)
        joins[part.group] = join
        return answer
    }

    func ends(of group: String, now: Date) -> [[UInt8]] {
        let parts = present(group, now: now)?.parts.values.sorted {
            ($0.part.index ?? .max, $0.turn) < ($1.part.index ?? .max, $1.turn)
        }
        return parts?.map(\.part.end) ?? []
    }

    func countEnds(of group: String, upTo index: Int?, now: Date) -> Int {
        present(group, now: now)?.parts.values.count { $0.part.index ?? .max <= index ?? .max } ?? 0
    }

    func members(of group: String, now: Date) -> [UInt8]? { present(group, now: now)?.members }

    private static func figures(of join: Join?, _ part: JoinPart) -> JoinFigures {
        JoinFigures(
            size: join?.size, count: join?.parts.count ?? 0, known: join?.parts[part.member]?.part.isSuccess,
            isClosed: join?.isClosed ?? false)
    }

    private func present(_ group: String, now: Date) -> Join? {
        joins[group].flatMap { Self.isOver($0, now) ? nil : $0 }
    }

    /// Forgets joins whose time is over: whenever there are twice as many as the last time left.
    private mutating func sweep(now: Date) {
        guard joins.count >= joinsToSweepAt else { return }
        joins = joins.filter { !Self.isOver($0.value, now) }
        joinsToSweepAt = max(1024, joins.count * 2)
    }

    private static func isOver(_ join: Join, _ now: Date) -> Bool { join.expiresAt.map { $0 <= now } ?? false }

    private static func expiry(_ timeToLive: Duration?, _ now: Date) -> Date? {
        timeToLive.map { now.addingTimeInterval($0.seconds) }
    }
}
