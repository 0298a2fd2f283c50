// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One of the fields of a cron expression: its numbers and their names.
enum CronField: CaseIterable {
    case second, minute, hour, dayOfMonth, month, dayOfWeek

    /// The fields of an expression of five, and of one of six.
    static let five: [CronField] = [.minute, .hour, .dayOfMonth, .month, .dayOfWeek]
    static let six = [.second] + five

    var name: String {
        switch self {
        case .second: "second"
        case .minute: "minute"
        case .hour: "hour"
        case .dayOfMonth: "day of month"
        case .month: "month"
        case .dayOfWeek: "day of week"
        }
    }

    /// What a `*` stands for.
    var range: ClosedRange<Int> {
        switch self {
        case .second, .minute: 0...59
        case .hour: 0...23
        case .dayOfMonth: 1...31
        case .month: 1...12
        case .dayOfWeek: 0...6
        }
    }

    /// What may be written: Sunday is 0 and 7.
    var writable: ClosedRange<Int> { self == .dayOfWeek ? 0...7 : range }

    /// The short English names, in the order of the numbers.
    var names: [String] {
        switch self {
        case .month: Self.months.map { $0.prefix(3).uppercased() }
        case .dayOfWeek: Self.weekdays.map { $0.prefix(3).uppercased() }
        default: []
        }
    }

    /// The number of a name, short or in full, in any case.
    func number(named name: some StringProtocol) -> Int? {
        let wanted = name.uppercased()
        let full = self == .month ? Self.months : self == .dayOfWeek ? Self.weekdays : []
        guard let index = full.firstIndex(where: { $0.uppercased() == wanted || $0.prefix(3).uppercased() == wanted })
        else { return nil }
        return index + range.lowerBound
    }

    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    static let weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
}

/// Small numbers, 0 to 63.
struct SmallSet: Hashable, Sendable {
    private(set) var bits: UInt64 = 0

    init() {}

    init(_ numbers: some Sequence<Int>) {
        for number in numbers { insert(number) }
    }

    mutating func insert(_ number: Int) { bits |= 1 << UInt64(number) }

    func contains(_ number: Int) -> Bool { bits >> UInt64(number) & 1 == 1 }

    var isEmpty: Bool { bits == 0 }
    var count: Int { bits.nonzeroBitCount }
    var first: Int? { isEmpty ? nil : bits.trailingZeroBitCount }
    var last: Int? { isEmpty ? nil : 63 - bits.leadingZeroBitCount }

    /// The smallest number from `number` on.
    func next(from number: Int) -> Int? {
        guard number < 64 else { return nil }
        let rest = bits & (UInt64.max << UInt64(max(0, number)))
        return rest == 0 ? nil : rest.trailingZeroBitCount
    }

    /// The greatest number up to `number`.
    func previous(from number: Int) -> Int? {
        guard number >= 0 else { return nil }
        let rest = bits & (UInt64.max >> UInt64(63 - min(63, number)))
        return rest == 0 ? nil : 63 - rest.leadingZeroBitCount
    }

    var numbers: [Int] { (0..<64).filter(contains) }
}
