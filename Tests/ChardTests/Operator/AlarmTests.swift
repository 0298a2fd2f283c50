// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials
import Testing

@testable import Chard

@Suite("Alarms in plain words")
struct AlarmTests {
    private let now = Date(timeIntervalSince1970: 1_764_187_230)

    private func queue(_ name: String, _ waiting: Int, isPaused: Bool = false) -> QueueReport {
        QueueReport(queue: name, waiting: waiting, delayed: 0, leased: 0, dead: 0, isPaused: isPaused)
    }

    private func scene(_ change: (inout Alarm.Scene) -> Void) -> [String] {
        var scene = Alarm.Scene(now: now)
        scene.isAnybodyAlive = true
        change(&scene)
        return scene.alarms.map(\.text)
    }

    @Test("Nothing is said where nothing is wrong")
    func quiet() {
        #expect(
            scene {
                $0.queues = [queue("a", 5), queue("b", 0)]; $0.served = ["a"]
            }.isEmpty)
        #expect(scene { $0.isAnybodyAlive = false }.isEmpty)
    }

    @Test("Queues that nobody serves, that are paused, and too many of them")
    func queues() {
        #expect(
            scene { $0.queues = [queue("mail", 1), queue("held", 7, isPaused: true)] } == [
                "The queue mail is served by no worker: 1 task waits.",
                "The queue held is paused, with 7 messages waiting.",
            ])
        let many = scene { $0.queues = (0..<100).map { queue("q\($0)", 1) } }
        #expect(many.count == 6 && many.last == "95 more queues are served by nobody.")
        #expect(
            scene {
                $0.queues = [queue("a", 3)]; $0.isAnybodyAlive = false
            }
                == ["No worker is alive, and 3 tasks wait."])
    }

    @Test("A queue that grows is told apart from one that is full")
    func growth() {
        var trend = QueueTrend()
        for step in 0...6 {
            trend.note(
                [queue("mail", 10 + step * 100), queue("full", 500), queue("empty", 0)],
                at: now.addingTimeInterval(Double(step * 10 - 60)))
        }
        #expect(trend["empty"].isEmpty && trend["full"].count == 7)
        let served: Set = ["mail", "full"]
        #expect(
            scene {
                $0.queues = [queue("mail", 610), queue("full", 500)]
                $0.served = served
                $0.trend = trend
            } == ["The queue mail grows faster than its workers take it: from 10 to 610 in 60 s."])
        #expect(
            scene {
                $0.queues = [queue("mail", 610)]
                $0.trend = trend
            } == ["The queue mail grows and no worker takes it: 610 tasks wait."])
    }

    @Test("Failures that went up, and not those that are as usual")
    func failures() {
        func tally(_ counts: [(ago: Double, end: Attempt.End, count: Int)]) -> Tally {
            var tally = Tally()
            for (ago, end, count) in counts {
                for _ in 0..<count {
                    tally.add(Attempt(id: "x", end: end, endedAt: now.addingTimeInterval(-ago)), now: now)
                }
            }
            return tally
        }
        let up = tally([(1_800, .success, 95), (1_800, .failure, 5), (60, .success, 60), (60, .failure, 40)])
        #expect(
            scene { $0.tally = up } == ["Failures went up: 40 % of the tasks of the last 5 minutes, 5 % before."])
        let usual = tally([(1_800, .success, 60), (1_800, .failure, 40), (60, .success, 60), (60, .failure, 40)])
        #expect(scene { $0.tally = usual }.isEmpty)
    }

    @Test("Schedules that nobody calls")
    func schedules() {
        #expect(
            scene { $0.idleSchedules = ["nightly", "often"] }
                == ["No beat is running, so that nothing calls nightly and 1 more."])
    }
}
