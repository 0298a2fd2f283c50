// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle

@testable import profiles

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// The site of a test: in immediate mode, with a folder of its own, on a free port.
struct ProfilesSite: Sendable {
    let tasks: ProfileTasks
    private let folder: String
    private let url: String

    /// Serves for as long as `body` takes.
    static func with(_ body: (ProfilesSite) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.path + "/profiles-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }

        let app = Chard("profiles")
        let tasks = app.add(ProfileTasks.self)
        app.use(files: FolderStore(folder + "/uploads"))
        app.dependencies.register(try Store(path: folder + "/profiles.sqlite"))
        app.dependencies.register(SlowStorage(folder: folder + "/storage", delay: .zero))
        app.dependencies.register(try Mail(admin: "boss@example.com", smtp: "", maildir: folder + "/mail"))
        app.runImmediately(failures: .thrown)

        let background = BackgroundTasks(app)
        let router = Router(context: TasksContext.self)
        router.add(middleware: TasksMiddleware(background: background))
        try ProfileSite(app, tasks).addRoutes(to: router)
        let (ports, running) = AsyncStream<Int>.makeStream()
        let quiet = Logger(label: "site") { _ in SwiftLogNoOpLogHandler() }
        let site = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)), services: [background],
            onServerRunning: { running.yield($0.localAddress?.port ?? 0) }, logger: quiet)
        let group = ServiceGroup(services: [site], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasksOfTest in
            tasksOfTest.addTask { try await group.run() }
            var port = 0
            for await number in ports {
                port = number
                break
            }
            let site = ProfilesSite(tasks: tasks, folder: folder, url: "http://127.0.0.1:\(port)")
            let result = await Result { try await body(site) }
            await group.triggerGracefulShutdown()
            try await tasksOfTest.waitForAll()
            try result.get()
        }
    }

    // MARK: What a browser does

    struct Answer {
        let status: Int
        let bytes: [UInt8]
        var text: String { String(decoding: bytes, as: UTF8.self) }
    }

    func get(_ path: String) async throws -> Answer { try await send(request(path)) }

    func post(_ path: String, form: String) async throws -> Answer {
        var request = try request(path)
        request.httpMethod = "POST"
        request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
        request.httpBody = Data(form.utf8)
        return try await send(request)
    }

    func upload(_ photo: [UInt8], name: String) async throws -> Answer {
        var request = try request("/profiles")
        request.httpMethod = "POST"
        request.setValue("multipart/form-data; boundary=edge", forHTTPHeaderField: "Content-Type")
        let head =
            "--edge\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n\(name)\r\n"
            + "--edge\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"cat.png\"\r\n\r\n"
        request.httpBody = Data(head.utf8) + Data(photo) + Data("\r\n--edge--\r\n".utf8)
        return try await send(request)
    }

    /// The paths of what lies in a folder of the site's.
    func files(in name: String) throws -> [String] {
        let path = folder + "/" + name
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path).map { path + "/" + $0 }
    }

    private func request(_ path: String) throws -> URLRequest {
        guard let url = URL(string: url + path) else { throw URLError(.badURL) }
        return URLRequest(url: url)
    }

    private func send(_ request: URLRequest) async throws -> Answer {
        let (data, response) = try await URLSession.shared.data(for: request)
        return Answer(status: (response as? HTTPURLResponse)?.statusCode ?? 0, bytes: Array(data))
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}

enum Samples {
    /// As much of a PNG file as anybody looks at.
    static let photo: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + Array("a small picture".utf8)
}
