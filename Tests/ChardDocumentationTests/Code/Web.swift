// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCommand
import ChardHummingbird
import ChardSQLite
import GRDB
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

private func frame() async throws {
    struct Site: TaskSet {
        let store: TaskHandle<Void, String>
        let decide: TaskHandle<Double, Double>

        init(_ app: Chard) {
            store = app.blockingTask("site.store") { (path: String) in print("stored \(path)") }
            decide = app.task("site.decide") { (income: Double) in income / 2 }
        }
    }

    let app = Chard("site", broker: try openBroker("sqlite:///site.db"))
    let tasks = app.add(Site.self)

    let background = BackgroundTasks(app)
    let jobs = Jobs(app)
    let router = Router(context: TasksContext.self)
    router.add(middleware: TasksMiddleware(background: background, jobs: jobs))
    jobs.addRoutes(to: router)

    router.post("upload") { _, context in
        try context.background(tasks.store, "photo.jpg")          // after this response, in this process
        return "thank you"
    }
    router.post("upload/kept") { _, context in
        try await context.enqueue(tasks.store, "photo.jpg")       // the same in a worker: it survives this process
        return "thank you"
    }
    router.post("decisions") { _, context in
        try await context.accepted(tasks.decide, 41_000)          // 202 and a ticket
    }

    var site = Application(router: router, configuration: .init(address: .hostname("127.0.0.1", port: 8080)))
    site.addTasks(of: app, background: background, worker: WorkerOptions())   // with a worker in this process
    try await site.runService()
}

private func publish(_ bytes: [UInt8]) async throws {}

private func files(_ app: Chard, _ router: Router<TasksContext>) {
    app.use(files: FolderStore("uploads"))                  // in the web server and in the workers
    let storePhoto = app.task("site.photo") { (context: TaskContext, photo: StoredFile) in
        let bytes = try await context.contents(of: photo)
        try await publish(bytes)
    }

    router.post("photos") { request, context in
        let body = try await request.body.collect(upTo: 5 << 20)
        let photo = try await app.files.keep(Array(body.readableBytesView), name: "cat.jpg", mediaType: "image/jpeg")
        return try await context.accepted(storePhoto, photo)
    }
}

private struct Order: Codable, Sendable, PersistableRecord {
    let id: Int64
}

private func outbox(
    _ app: Chard, _ site: inout Application<RouterResponder<TasksContext>>, _ database: DatabasePool, _ order: Order,
    _ bill: TaskHandle<Void, Int64>
) async throws {
    let outbox = try Outbox(app, in: database)              // makes its table, chard_outbox
    try await database.write { db in
        try order.insert(db)
        try outbox.enqueue(bill.signature(order.id), in: db)
    }
    site.addServices(outbox)                                // sends what transactions leave
}
