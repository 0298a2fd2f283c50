// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Why a schedule, or one of its parts, cannot be used.
public struct ScheduleError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of trouble it is: an open set.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The code's name.
        public let description: String
        /// Makes a code of one's own.
        public init(_ name: String) { description = name }

        /// The text is no cron expression.
        public static let badCron = Code("badCron")
        /// The cron expression can be read, but no day of any year fits.
        public static let neverComes = Code("neverComes")
        /// The interval cannot be kept.
        public static let badInterval = Code("badInterval")
        /// The system's time zone database has no zone of that name.
        public static let unknownZone = Code("unknownZone")
        /// There is no time zone database on this system.
        public static let noZoneDatabase = Code("noZoneDatabase")
        /// What the database holds under the name cannot be read.
        public static let damagedZone = Code("damagedZone")
        /// Options of the schedule that make no sense, alone or together.
        public static let badOptions = Code("badOptions")
    }

    /// What kind of trouble it is.
    public let code: Code
    /// The field of the cron expression that is wrong, `day of month` for instance, where it is one.
    public let field: String?
    /// What is wrong, and what would be right.
    public let description: String

    init(_ code: Code, field: CronField? = nil, _ description: String) {
        self.code = code
        self.field = field?.name
        self.description = field.map { "\($0.name): \(description)" } ?? description
    }
}
