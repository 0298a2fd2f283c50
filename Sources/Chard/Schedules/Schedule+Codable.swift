// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Schedule: Codable {
    private enum CodingKeys: String, CodingKey {
        case name, every, cron, days, timeZone = "time_zone", startsAt = "starts_at", endsAt = "ends_at", jitter
        case isEnabled = "enabled", catchUp = "catch_up", grace, overlap, overlapLimit = "overlap_limit"
    }

    /// Reads a schedule as ``encode(to:)`` writes it; what is missing is as by default.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func time(_ key: CodingKeys) throws -> Date? {
            guard let text = try container.decodeIfPresent(String.self, forKey: key) else { return nil }
            guard let date = Timestamp.date(from: text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: key, in: container, debugDescription: "\"\(text)\" is no time in ISO 8601")
            }
            return date
        }
        let timing: Timing
        if let interval = try container.seconds(.every) {
            timing = .every(interval)
        } else {
            let rule = try container.decodeIfPresent(CronExpression.DayRule.self, forKey: .days) ?? .both
            timing = .cron(
                try CronExpression(try container.decode(String.self, forKey: .cron), days: rule),
                timeZone: try container.decodeIfPresent(String.self, forKey: .timeZone) ?? "UTC")
        }
        self.init(try container.decode(String.self, forKey: .name), timing, call: try PeriodicCall(from: decoder))
        startsAt = try time(.startsAt)
        endsAt = try time(.endsAt)
        isEnabled = try container.decodeIfPresent(Bool.self, forKey: .isEnabled) ?? isEnabled
        catchUp = try container.decodeIfPresent(ScheduleOptions.CatchUp.self, forKey: .catchUp) ?? catchUp
        overlap = try container.decodeIfPresent(ScheduleOptions.Overlap.self, forKey: .overlap) ?? overlap
        jitter = try container.seconds(.jitter) ?? jitter
        grace = try container.seconds(.grace) ?? grace
        overlapLimit = try container.seconds(.overlapLimit) ?? overlapLimit
    }

    /// Writes the schedule and its call as one object: time spans in seconds, dates in ISO 8601.
    public func encode(to encoder: any Encoder) throws {
        try call.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(name, forKey: .name)
        switch timing {
        case .every(let interval): try container.encode(interval.secondsToTheMillisecond, forKey: .every)
        case .cron(let expression, let timeZone):
            try container.encode(expression.description, forKey: .cron)
            try container.encode(expression.dayRule, forKey: .days)
            try container.encode(timeZone, forKey: .timeZone)
        }
        try container.encodeIfPresent(startsAt.map(Timestamp.text), forKey: .startsAt)
        try container.encodeIfPresent(endsAt.map(Timestamp.text), forKey: .endsAt)
        try container.encode(jitter.secondsToTheMillisecond, forKey: .jitter)
        try container.encode(isEnabled, forKey: .isEnabled)
        try container.encode(catchUp, forKey: .catchUp)
        try container.encode(grace.secondsToTheMillisecond, forKey: .grace)
        try container.encode(overlap, forKey: .overlap)
        try container.encode(overlapLimit.secondsToTheMillisecond, forKey: .overlapLimit)
    }
}

extension ScheduleOptions.CatchUp: Codable {
    /// Reads `none`, `latest`, or a number.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let count = try? container.decode(Int.self) {
            self = .all(upTo: count)
            return
        }
        switch try container.decode(String.self) {
        case "none": self = .none
        case "latest": self = .latest
        case let text:
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text)\" is neither none, latest nor a number")
        }
    }

    /// Writes `none`, `latest`, or a number.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encode("none")
        case .latest: try container.encode("latest")
        case .all(let count): try container.encode(count)
        }
    }
}

extension PeriodicCall: Codable {
    private enum CodingKeys: String, CodingKey {
        case task, positional = "args", keywords = "kwargs", queue, priority, expires
        case softTimeLimit = "soft_time_limit", timeLimit = "time_limit", ignoresResult = "ignore_result", shadow,
            headers
    }

    /// Reads a call as ``encode(to:)`` writes it.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            try container.decode(String.self, forKey: .task),
            Arguments(
                try container.decodeIfPresent([JSON].self, forKey: .positional) ?? [],
                keywords: try container.decodeIfPresent([String: JSON].self, forKey: .keywords) ?? [:]),
            queue: try container.decodeIfPresent(String.self, forKey: .queue))
        priority = try container.decodeIfPresent(Int.self, forKey: .priority)
        expires = try container.seconds(.expires)
        softTimeLimit = try container.seconds(.softTimeLimit)
        timeLimit = try container.seconds(.timeLimit)
        ignoresResult = try container.decodeIfPresent(Bool.self, forKey: .ignoresResult)
        shadow = try container.decodeIfPresent(String.self, forKey: .shadow)
        headers = try container.decodeIfPresent([String: JSON].self, forKey: .headers) ?? [:]
    }

    /// Writes the call by Celery's names, time spans in seconds.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(task, forKey: .task)
        try container.encode(arguments.positional, forKey: .positional)
        try container.encode(arguments.keywords, forKey: .keywords)
        try container.encodeIfPresent(queue, forKey: .queue)
        try container.encodeIfPresent(priority, forKey: .priority)
        try container.encodeIfPresent(expires?.secondsToTheMillisecond, forKey: .expires)
        try container.encodeIfPresent(softTimeLimit?.secondsToTheMillisecond, forKey: .softTimeLimit)
        try container.encodeIfPresent(timeLimit?.secondsToTheMillisecond, forKey: .timeLimit)
        try container.encodeIfPresent(ignoresResult, forKey: .ignoresResult)
        try container.encodeIfPresent(shadow, forKey: .shadow)
        if !headers.isEmpty { try container.encode(headers, forKey: .headers) }
    }
}

extension KeyedDecodingContainer {
    fileprivate func seconds(_ key: Key) throws -> Duration? {
        guard let seconds = try decodeIfPresent(Double.self, forKey: key) else { return nil }
        guard abs(seconds) < 1e10 else {
            throw DecodingError.dataCorruptedError(
                forKey: key, in: self, debugDescription: "\(seconds) seconds are no time span")
        }
        return .milliseconds(Int((seconds * 1000).rounded()))
    }
}

extension Duration {
    /// Seconds, exact to the millisecond: what is read back is the same again, or every start of a program would seem a
    /// change of its schedules.
    fileprivate var secondsToTheMillisecond: Double { Double(wholeMilliseconds) / 1000 }
}
