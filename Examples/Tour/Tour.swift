// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The tour: its chapters in order, a worker for all of them, a word before and after.
struct Tour {
    let narrator: Narrator

    private let chapters: [any Chapter] = [
        TypedCalls(), NamedArguments(), Countdown(), Retries(), Failures(), LiveProgress(), ManyAtOnce(), DeadLetters(),
        GracefulStop(),
    ]

    func run() async throws {
        narrator.headline("Chard: a distributed task queue for Swift that speaks Celery's protocol")
        narrator.say("Half a minute on a broker in this very process; on Redis it is the same code.")

        let broker = MemoryBroker()
        let shop = Shop(on: broker)
        let staff = try await Staff.start(shop.app, options: WorkerOptions(concurrency: 8, gracePeriod: .seconds(10)))
        let stage = Stage(shop: shop, broker: broker, staff: staff, tell: narrator)
        narrator.note(
            "A worker is running: \(staff.worker.node), \(staff.worker.options.concurrency) tasks at once, "
                + "\(shop.app.tasks.count) tasks registered.")

        for (index, chapter) in chapters.enumerated() {
            narrator.chapter(index + 1, of: chapters.count, chapter.title)
            narrator.code(chapter.code)
            try await chapter.play(on: stage)
        }
        end()
    }

    private func end() {
        narrator.headline("What to try next")
        narrator.say("The same on Redis, with the worker in a process of its own:")
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
        narrator.command("kill %1 %2; wait; redis-cli -p 6380 shutdown")
        narrator.say("Read on: README.md, docs/architecture.md, this tour's code in Examples/Tour.")
    }

    static let help = """
        usage: tour

        Shows what Chard does, on a broker and a worker inside this process: typed calls, countdowns, retries, failures,
        progress, dead letters, a graceful stop. Takes half a minute, needs nothing, and leaves nothing behind.
        Colours are used on a terminal only; NO_COLOR=1 turns them off.

        """
}
