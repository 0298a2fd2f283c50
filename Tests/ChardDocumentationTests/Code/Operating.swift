// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// swift-format-ignore-file

import Chard
import ChardCommand
import CoreMetrics
import Logging

private func remote(_ app: Chard) async throws {
    for reply in try await app.operator.remote.ask("active_queues") { print(reply.node, reply.answer) }
    for await event in try await app.events() where event.type == "task-failed" { print(event.node, event.details) }
    app.task("shop.ping", options: TaskOptions(rateLimit: .perSecond(10))) { () in "pong" }
}

private func metrics(_ app: Chard, _ worker: Worker, _ backend: any MetricsFactory) {
    MetricsSystem.bootstrap(backend)
    app.add(observer: TaskMetrics(app))                       // what tasks do
    let gauges = Gauges(app, worker: worker)                  // queues, slots, connections: a service, every 15 s
    _ = gauges
}

private func schedules(
    _ app: Chard, _ backup: TaskHandle<Void>, _ report: TaskHandle<Void, String>, _ sync: TaskHandle<Void>
) {
    app.every(.seconds(60), run: backup)
    app.cron("30 7 1 * *", timeZone: "Europe/Warsaw", run: report, "monthly")
    app.cron("*/10 9-17 * * MON-FRI", name: "office", run: sync, options: ScheduleOptions(overlap: .skip))
}
