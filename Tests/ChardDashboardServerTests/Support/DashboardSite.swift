// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardDashboard
import ChardSQLite
import Foundation
import Hummingbird
import Logging
import ServiceLifecycle
import Synchronization
import TestServers

/// A dashboard on a free port of this process, over a broker of either kind.
struct DashboardSite: Sendable {
    enum Kind: Sendable, CaseIterable {
        case memory, sqlite
    }

    let app: Chard
    let port: Int

    /// Serves for as long as `body` takes.
    static func with(
        _ kind: Kind = .memory, _ settings: Dashboard.Settings = Dashboard.Settings(),
        _ body: (DashboardSite) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "dashboard-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let quiet = Logger(label: "site") { _ in SwiftLogNoOpLogHandler() }
        let broker: any Broker =
            switch kind {
            case .memory: MemoryBroker()
            case .sqlite: SQLiteBroker(SQLiteLocation(path: folder.path + "/chard.db"), logger: quiet)
            }
        let app = Chard("site", broker: broker)
        var settings = settings
        settings.logger = quiet
        let router = Router()
        try Dashboard(app, settings: settings).addRoutes(to: router)
        let port = try FreePort.find()
        let started = Mutex(false)
        let site = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { _ in started.withLock { $0 = true } }, logger: quiet)
        let group = ServiceGroup(services: [site], logger: quiet)
        async let running: Void = group.run()
        let result: Result<Void, any Error>
        do {
            try await broker.connect()
            try await eventually("the server runs") { started.withLock { $0 } }
            try await body(DashboardSite(app: app, port: port))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await group.triggerGracefulShutdown()
        _ = try? await running
        await broker.shutdown()
        try result.get()
    }

    func get(_ path: String, _ headers: [String: String] = [:]) async throws -> Wire.Answer {
        try await Wire(port: port).ask("GET", path, headers: headers)
    }

    func json(_ path: String) async throws -> (status: Int, document: JSON) {
        let answer = try await get(path, ["Accept": "application/json"])
        return (answer.status, try JSON(parsing: Array(answer.body.utf8)))
    }

    func post(
        _ path: String, _ body: String = "", _ headers: [String: String] = [:]
    ) async throws -> Wire.Answer {
        let type = ["Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"]
        return try await Wire(port: port).ask("POST", path, headers: type.merging(headers) { $1 }, body: body)
    }
}
