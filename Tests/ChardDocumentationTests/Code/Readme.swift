// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCommand
import ChardRedis
import Foundation

private actor Mailer {
    func send(_ text: String, to: String) async throws {}
}

private enum WholeProgram {
    struct Shop: TaskSet {
        let add: TaskHandle<Int, Int, Int>
        let mail: TaskHandle<Void, String, String>

        init(_ app: Chard) {
            add = app.task("shop.add", parameters: ["x", "y"]) { (x: Int, y: Int) in x + y }
            mail = app.task("shop.mail", options: TaskOptions(retry: .exponential(maxRetries: 5))) {
                (context: TaskContext, to: String, text: String) in
                try await context.dependencies.get(Mailer.self).send(text, to: to)
            }
        }
    }

    static func run() async {
        let app = Chard("shop")
        let shop = app.add(Shop.self)
        app.dependencies.register(Mailer.self, make: { Mailer() })
        await app.main()
        _ = shop
    }

    static func call(_ shop: Shop) async throws {
        let sum = try await shop.add.enqueue(2, 3).value(timeout: .seconds(5))  // 5, an Int

        try await shop.add.enqueue(2, 3, in: .seconds(30), queue: "math")       // for `shop worker -Q celery,math`
        _ = sum
    }
}

private func onlySending() async throws {
    let app = Chard("shop", broker: RedisBroker(try RedisURL("redis://127.0.0.1:6379/0")))
    let add = app.reference("shop.add", taking: Int.self, Int.self, returning: Int.self)
    let call = try await add.enqueue(2, 3)
    _ = call
}

private func atItsTime(
    _ app: Chard, _ polls: (close: TaskHandle<Void, Int>, Void), _ poll: Int, _ sixOClock: Date,
    _ backup: TaskHandle<Void>, _ report: TaskHandle<Void, String>
) async throws {
    try await polls.close.enqueue(poll, at: sixOClock)                           // waits in the broker, not in a worker

    app.every(.seconds(60), run: backup)
    app.cron("30 7 1 * *", timeZone: "Europe/Warsaw", run: report, "monthly")   // 07:30 on Warsaw's clocks, all year
}

private func withPython(_ app: Chard) async throws {
    let resize = app.reference("photos.resize", taking: String.self, Int.self, returning: String.self)
    let path = try await resize.enqueue("cat.jpg", 256, queue: "python").value(timeout: .seconds(30))
    _ = path
}
