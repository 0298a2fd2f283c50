// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCommand

private enum FirstTask {
    struct Greetings: TaskSet {
        let hello: TaskHandle<String, String>

        init(_ app: Chard) {
            hello = app.task("shop.hello") { (name: String) in "Hello, \(name)!" }
        }
    }

    static func run() async {
        let app = Chard("shop")
        let greetings = app.add(Greetings.self)
        await app.main()
        _ = greetings
    }

    static func call(_ greetings: Greetings) async throws {
        let call = try await greetings.hello.enqueue("Ada")                  // returns when the broker has it
        let text = try await call.value(timeout: .seconds(5))                // "Hello, Ada!"
        try await greetings.hello.enqueue("Bob", in: .seconds(30))           // later: it waits in the broker
        _ = text
    }
}

private struct Bank: Sendable {
    func charge(_ order: Int) async throws -> String { "receipt" }
    func charge(_ order: Int, idempotencyKey: String) async throws -> String { "receipt" }
}

private struct Post: Sendable {
    func send(to: String) async throws {}
}

private struct NoSuchAddress: Error {}
private struct Unsubscribed: Error {}
private struct Busy: Error {
    let delay: Duration
}

private func retries(_ app: Chard, _ bank: Bank, _ post: Post) {
    let policy = RetryPolicy.exponential(maxRetries: 5, initialDelay: .seconds(2))
    let charge = app.task("shop.charge", options: TaskOptions(retry: policy)) { (order: Int) in
        try await bank.charge(order)
    }

    let mail = app.task(
        "shop.mail",
        options: TaskOptions(retry: policy) { error in
            switch error {
            case is NoSuchAddress: .fail                      // no attempt will help
            case let busy as Busy: .retry(after: busy.delay)  // when it says
            case is Unsubscribed: .discard                    // not a failure: no status
            default: .asPolicy
            }
        }
    ) { (to: String) in try await post.send(to: to) }
    _ = (charge, mail)
}

private func idempotent(_ app: Chard, _ bank: Bank, _ post: Post) {
    let charge = app.task("shop.charge") { (context: TaskContext, order: Int) in
        try await bank.charge(order, idempotencyKey: context.id)
    }

    let order = app.task("shop.order") { (context: TaskContext, order: Int) in
        let receipt = try await context.step("charge") { try await bank.charge(order, idempotencyKey: context.id) }
        try await context.step("mail") { try await post.send(to: receipt) }
    }
    _ = (charge, order)
}
