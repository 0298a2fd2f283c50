// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("What goes on and on is said now and then")
struct ReminderTests {
    @Test("at once, then every half minute")
    func reminding() {
        let start = ContinuousClock.now
        var reminder = Reminder()
        #expect(!reminder.hasSaid)
        let due = [0, 1, 29, 30, 31, 59, 60].filter { reminder.isDue(at: start + .seconds($0)) }
        #expect(due == [0, 30, 60])
        #expect(reminder.hasSaid)
    }
}
