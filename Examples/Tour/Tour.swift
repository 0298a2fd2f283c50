// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite
import Foundation

/// The tour: its chapters in order, a worker for all of them, a word before and after.
struct Tour {
    let narrator: Narrator

    private let chapters: [any Chapter] = [
        TypedCalls(), NamedArguments(), Countdown(), Retries(), Failures(), LiveProgress(), ManyAtOnce(), DeadLetters(),
    ]
    private let endings: [any Ending] = [SuddenDeath(), GracefulStop()]

    func run() async throws {
        narrator.headline("Chard: a distributed task queue for Swift that speaks Celery's protocol")
        narrator.say("Half a minute on a SQLite file, with no server; on Redis it is the same code.")

        let folder = FileManager.default.temporaryDirectory.path + "/chard-tour-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = folder + "/tasks.db"
        let broker = SQLiteBroker(SQLiteLocation(path: file))
        let shop = Chard("shop", broker: broker).add(Shop.self)
        let stage = Stage(shop: shop, broker: broker, file: file, tell: narrator)
        var staff = try await stage.startWorker("first@shop")
        narrator.note(
            "A worker runs in a process of its own: \(staff.node), pid \(staff.id), \(TourWorker.concurrency) tasks at "
                + "once, \(shop.app.tasks.count) tasks registered.")

        let count = chapters.count + endings.count
        for (index, chapter) in chapters.enumerated() {
            narrator.chapter(index + 1, of: count, chapter.title)
            narrator.code(chapter.code)
            try await chapter.play(on: stage)
        }
        for (index, ending) in endings.enumerated() {
            narrator.chapter(chapters.count + index + 1, of: count, ending.title)
            narrator.code(ending.code)
            staff = try await ending.play(on: stage, with: staff)
        }
        try await staff.stop()
        await broker.shutdown()
        end()
    }

    private func end() {
        narrator.headline("What to try next")
        narrator.say("A worker and its operator, on a file chard.db in this directory:")
        for line in [
            "swift run interop worker &",
            "swift run chard send interop.add --args '[2, 3]' --wait",
            "swift run chard queues",
            "kill %1",
        ] { narrator.command(line) }
        narrator.say("The same on Redis:")
        for line in [
            "redis-server --port 6380 --save '' --daemonize yes",
            "export CHARD_BROKER_URL=redis://127.0.0.1:6380/0",
            "swift run interop worker &",
            "swift run chard send interop.add --args '[2, 3]' --wait",
        ] { narrator.command(line) }
        narrator.say("With Python: Celery's client calls that worker, Swift calls a Celery one:")
        for line in [
            "make setup",
            "export BROKER_URL=$CHARD_BROKER_URL",
            ".venv/bin/python Tests/Interop/drive.py call add --args '[2, 3]'",
            ".venv/bin/python Tests/Interop/drive.py worker -Q python &",
            "swift run chard send interop.add --args '[2, 3]' -Q python --wait",
        ] { narrator.command(line) }
        narrator.say("And afterwards:")
        narrator.command("kill %2 %3; wait; redis-cli -p 6380 shutdown; rm chard.db*")
        narrator.say("Read on: README.md, docs/architecture.md, this tour's code in Examples/Tour.")
    }

    static let help = """
        usage: tour

        Shows what Chard does, on a SQLite file with a worker in a process of its own: typed calls, countdowns, retries,
        failures, progress, dead letters, a worker that is killed in mid-task, a graceful stop. Takes half a minute, needs
        no server, and leaves nothing behind.
        Colours are used on a terminal only; NO_COLOR=1 turns them off.

        """
}
