// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A schedule as a broker keeps it: what the code says, what the operator has changed, and how far its ticks are.
public struct ScheduleRecord: Sendable, Hashable {
    /// Where a schedule is from.
    public enum Origin: String, Sendable, Hashable, Codable {
        /// A program registered it.
        case code
        /// A program registered it, and the operator changed it.
        case changed
        /// The operator added it.
        case `operator`
    }

    /// How far a schedule's ticks are.
    public struct Progress: Sendable, Hashable {
        /// Everything up to this tick is dealt with: milliseconds since 1970.
        public var last: Int
        /// The tick that was sent last, in milliseconds since 1970.
        public var sentTick: Int?
        /// When that was, in milliseconds since 1970 by the broker's clock.
        public var sentAt: Int?
        /// The task that it became.
        public var taskID: String?
        /// How many ticks were sent.
        public var sent: Int
        /// How many ticks were dropped: missed and not caught up on, or while a task was unfinished.
        public var dropped: Int

        /// No tick is dealt with before its time: one that lies more than so many milliseconds ahead tells of a broker's clock
        /// that was ahead and is right again. After a smaller step of the clock it is waited for, so that none comes twice.
        package static let mostAhead = 300_000

        /// Whether the clock has been set back since the last tick was dealt with.
        package func isAhead(of now: Int) -> Bool { last - now > Self.mostAhead }

        /// A progress that begins after `last`.
        public init(
            last: Int, sentTick: Int? = nil, sentAt: Int? = nil, taskID: String? = nil, sent: Int = 0, dropped: Int = 0
        ) {
            self.last = last
            self.sentTick = sentTick
            self.sentAt = sentAt
            self.taskID = taskID
            self.sent = sent
            self.dropped = dropped
        }
    }

    /// What a broker keeps of a schedule in a form that this version cannot read: another version may have written it.
    public struct Unreadable: Sendable, Hashable {
        /// The text, as it is.
        public var configuration: [UInt8]
        /// Why it cannot be read.
        public var reason: String

        /// Notes a text and what is wrong with it.
        public init(configuration: [UInt8], reason: String) {
            self.configuration = configuration
            self.reason = reason
        }
    }

    /// The name.
    public let name: String
    /// The number of the change that made it what it is; 0 while it is in no broker. No number comes twice, also not after
    /// a schedule was removed and added again.
    public var version = 0
    /// The program whose code it is from.
    public var app: String?
    /// What the code says.
    public var code: Schedule?
    /// What the operator says instead.
    public var change: Schedule?
    /// Whether the operator holds it.
    public var isPaused = false
    /// Whether the operator has removed it, although the code has it.
    public var isRemoved = false
    /// How far its ticks are. A broker sets it, whoever changes a schedule does not.
    public var progress = Progress(last: 0)
    /// What is kept instead of all this where it cannot be read. Such a record has no ticks; it can be replaced or removed.
    public var unreadable: Unreadable?

    /// Makes an empty record.
    public init(_ name: String) {
        self.name = name
    }

    /// What holds; `nil` if it was removed.
    public var schedule: Schedule? { isRemoved ? nil : change ?? code }

    /// Whether there are ticks.
    public var isActive: Bool { !isPaused && schedule?.isEnabled == true }

    /// Where it is from.
    public var origin: Origin {
        guard code != nil else { return .operator }
        return change != nil || isRemoved ? .changed : .code
    }
}

extension ScheduleRecord {
    private struct Configuration: Codable {
        var app: String?
        var code: Schedule?
        var change: Schedule?
        var paused: Bool?
        var removed: Bool?
    }

    /// Everything but name, version and progress, as JSON: what a broker keeps.
    public func configuration() throws -> [UInt8] {
        if let unreadable { return unreadable.configuration }
        return try JSON.encode(
            Configuration(
                app: app, code: code, change: change, paused: isPaused ? true : nil, removed: isRemoved ? true : nil))
    }

    /// Puts a record together again; see ``unreadable`` for what cannot be.
    public init(_ name: String, version: Int, configuration: [UInt8], progress: Progress) {
        self.init(name)
        self.version = version
        self.progress = progress
        do {
            let read = try JSON.decode(Configuration.self, from: configuration)
            (app, code, change) = (read.app, read.code, read.change)
            (isPaused, isRemoved) = (read.paused ?? false, read.removed ?? false)
        } catch {
            unreadable = Unreadable(configuration: configuration, reason: "\(error)")
        }
    }
}

extension ScheduleRecord {
    /// Whether its ticks begin anew: those that would have come while it was another, over, or held, were not missed.
    func hasOtherTicks(than present: ScheduleRecord?) -> Bool {
        let (new, old) = (schedule, present?.schedule)
        return new?.timing != old?.timing || new?.startsAt != old?.startsAt || new?.endsAt != old?.endsAt
            || isActive != present?.isActive
    }
}
