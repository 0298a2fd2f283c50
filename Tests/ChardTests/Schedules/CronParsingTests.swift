// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("What a cron expression may say")
struct CronParsingTests {
    @Test(
        "two ways to write the same",
        arguments: [
            ("@hourly", "0 * * * *"), ("@daily", "0 0 * * *"), ("@midnight", "0 0 * * *"), ("@WEEKLY", "0 0 * * SUN"),
            ("@monthly", "0 0 1 * *"), ("@yearly", "0 0 1 1 *"), ("@annually", "0 0 1 JAN *"),
            ("0 0 * * 7", "0 0 * * 0"), ("0 0 * * sun", "0 0 * * Sunday"), ("0 0 * * mon-fri", "0 0 * * 1-5"),
            ("0 0 * * 5-7", "0 0 * * FRI,SAT,SUN"), ("0 0 * * FRI-MON", "0 0 * * 0,1,5,6"),
            ("0 0 * * 0-7", "0 0 * * *"),
            ("0 22-2 * * *", "0 22,23,0,1,2 * * *"), ("*/15 * * * *", "0,15,30,45 * * * *"),
            ("5/20 * * * *", "5,25,45 * * * *"), ("10-30/10 * * * *", "10,20,30 * * * *"),
            ("0 0 */10 * *", "0 0 1,11,21,31 * *"), ("0 0 * nov-feb *", "0 0 * 1,2,11,12 *"),
            ("0 0 ? * 1", "0 0 * * 1"), ("0 30 7 * * *", "30 7 * * *"), ("  30\t7  1 * * ", "30 7 1 * *"),
            ("0 0 * * FRIL", "0 0 * * 5L"), ("0 0 * * TUE#3", "0 0 * * 2#3"), ("0 0 l * *", "0 0 L * *"),
        ])
    func same(one: String, other: String) throws {
        let (one, other) = (try CronExpression(one), try CronExpression(other))
        #expect(one.seconds == other.seconds)
        #expect(one.minutes == other.minutes)
        #expect(one.hours == other.hours)
        #expect(one.days == other.days)
    }

    @Test(
        "what is wrong is said with its field, and what would be right",
        arguments: [
            ("61 * * * *", "minute", "minute: 61 is out of range 0-59"),
            ("* 24 * * *", "hour", "hour: 24 is out of range 0-23"),
            ("* * 0 * *", "day of month", "day of month: 0 is out of range 1-31"),
            ("* * * 13 *", "month", "month: 13 is out of range 1-12"),
            ("* * * * 8", "day of week", "day of week: 8 is out of range 0-7"),
            ("60 * * * * *", "second", "second: 60 is out of range 0-59"),
            ("* * * * MOM", "day of week", "day of week: \"MOM\" is no day; did you mean MON?"),
            ("* * * DEZ *", "month", "month: \"DEZ\" is no month; did you mean DEC?"),
            ("x * * * *", "minute", "\"x\" is no number; write 0-59"),
            ("*/0 * * * *", "minute", "the step of \"*/0\" is no number above zero"),
            ("*/90 * * * *", "minute", "larger than the range 0-59; for longer intervals use every(...)"),
            ("1,,2 * * * *", "minute", "nothing on one side of a comma"),
            ("1- * * * *", "minute", "a number is missing"),
            ("? * * * *", "minute", "? stands for all only in days"),
            ("0 0 L-31 * *", "day of month", "0 to 30 may stand behind L-"),
            ("0 0 32W * *", "day of month", "write one of 1W to 31W"),
            ("0 0 * * L", "day of week", "5L is the last Friday"), ("0 0 * * 5#6", "day of week", "1 to 5 may stand"),
            ("99999999999999999999 * * * *", "minute", "out of range"),
        ])
    func complaints(text: String, field: String, complaint: String) throws {
        let error = try #require(throws: ScheduleError.self) { try CronExpression(text) }
        #expect(error.code == .badCron)
        #expect(error.field == field)
        #expect(error.description.contains(complaint), "\(error)")
    }

    @Test(
        "an expression that is wrong as a whole",
        arguments: [
            ("", "has 0 fields"), ("* * * *", "has 4 fields; a cron expression has five"),
            ("* * * * * * *", "7 fields"),
            ("@dayly", "did you mean @daily?"), ("@reboot", "known are @yearly"), ("@daily 5", "stands alone"),
        ])
    func whole(text: String, complaint: String) throws {
        let error = try #require(throws: ScheduleError.self) { try CronExpression(text) }
        #expect(error.description.contains(complaint), "\(error)")
    }

    @Test(
        "a day that never comes is refused",
        arguments: [
            ("0 0 30 2 *", "no such day is in February"), ("0 0 31 4,6,9,11 *", "April, June, September, November"),
            ("0 0 1 * 5#2", "never fall together"), ("0 0 L-30 2 *", "no such day"),
        ])
    func never(text: String, why: String) throws {
        let error = try #require(throws: ScheduleError.self) { try CronExpression(text) }
        #expect(error.code == .neverComes)
        #expect(error.description.contains(why), "\(error)")
    }

    @Test("what comes once in decades is not refused", arguments: ["0 0 29 2 1", "0 0 29 2 5#5", "0 0 1 * 5#1"])
    func seldom(text: String) throws {
        #expect(throws: Never.self) { try CronExpression(text) }
    }

    @Test("with the rule 'either' a day that never fits both comes all the same")
    func either() throws {
        #expect(throws: Never.self) { try CronExpression("0 0 1 * 5#2", days: .either) }
    }

    @Test(
        "a description for people",
        arguments: [
            ("30 7 1 * *", "at 07:30 on the first day of the month"), ("* * * * *", "every minute"),
            ("*/15 * * * *", "every 15 minutes"), ("@hourly", "every hour"), ("@daily", "at 00:00"),
            ("5 * * * *", "at minute 5 of every hour"),
            ("0,30 9,17 * * MON-FRI", "at 09:00, 09:30, 17:00 and 17:30 on Monday to Friday"),
            ("0 */2 * * *", "every 2 hours"), ("*/10 9-17 * * *", "every 10 minutes in the hours 9-17"),
            ("15 30 7 * * *", "at 07:30:15"), ("* * * * * *", "every second"), ("*/5 * * * * *", "every 5 seconds"),
            ("30 * * * * *", "at second 30 of every minute"),
            ("0 12 L * *", "at 12:00 on the last day of the month"),
            ("0 9 * 1,7 2#3", "at 09:00 on the third Tuesday of the month in January and July"),
            ("0 9 * * 5L", "at 09:00 on the last Friday of the month"),
            ("0 9 15W,LW * *", "at 09:00 on the weekday nearest to day 15 and the last weekday of the month"),
            ("0 9 13 * 5", "at 09:00 on day 13 of the month, if that is Friday"),
        ])
    func words(text: String, words: String) throws {
        #expect(try CronExpression(text).words == words)
    }
}
