// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCommand
import ChardCrypto
import ChardDashboard
import ChardRedis
import ChardSQLite
import ChardTesting
import Hummingbird

private enum Catalogs {
    static func chard() async throws {
        let app = Chard("shop", broker: MemoryBroker())
        let add = app.task("add") { (a: Int, b: Int) in a + b }

        let result = try await add.enqueue(2, 3)
        let sum = try await result.value(timeout: .seconds(10))
        _ = sum
    }

    static func redis() throws {
        let broker = RedisBroker(try RedisURL("rediss://worker:secret@redis.example.com:6380/0"))
        let app = Chard("shop", broker: broker)
        _ = app
    }

    static func file() {
        let broker = SQLiteBroker(SQLiteLocation(path: "tasks.db"))
        let app = Chard("shop", broker: broker)
        _ = app
    }

    static func crypto(_ app: Chard, _ text: String) throws {
        app.use(signing: MessageSigning(try SigningKeys(text), isRequired: true))
    }

    static func command(_ app: Chard) async {
        await app.main()
    }

    static func dashboard(_ app: Chard, _ router: Router<BasicRequestContext>) throws {
        let dashboard = try Dashboard(app, settings: Dashboard.Settings(path: "/tasks", access: .local))
        dashboard.addRoutes(to: router)
    }

    static func testing(_ app: Chard, _ closePoll: TaskHandle<Void, Int>) async throws {
        let queue = TestQueue(app)
        try await closePoll.enqueue(7, in: .seconds(3_600))
        try await queue.run(for: .seconds(3_600))
    }
}
