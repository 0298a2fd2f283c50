// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import profiles

@Suite("Profiles, in immediate mode")
struct ProfileSiteTests {
    /// A site whose tasks run at once, in a folder of its own.
    private func site(_ body: (any TestClientProtocol, String) async throws -> Void) async throws {
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
        let router = Router(context: TasksContext.self)
        router.add(middleware: TasksMiddleware(background: BackgroundTasks(app)))
        try ProfileSite(app, tasks).addRoutes(to: router)
        try await Application(router: router).test(.router) { client in try await body(client, folder) }
    }

    private func files(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    @Test("a photo is stored by the time of the answer, and its upload is gone")
    func photo() async throws {
        try await site { client, folder in
            var body = ByteBuffer(string: "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAda\r\n")
            body.writeString(
                "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.gif\"\r\n\r\nGIF89a...\r\n--x--\r\n"
            )
            let headers: HTTPFields = [.contentType: "multipart/form-data; boundary=x"]
            let answer = try await client.execute(uri: "/profiles", method: .post, headers: headers, body: body)
            #expect(answer.status == .seeOther)
            let photo = try await client.execute(uri: "/photos/1", method: .get)
            #expect(photo.headers[.contentType] == "image/gif" && String(buffer: photo.body) == "GIF89a...")
            #expect(files(folder + "/uploads").isEmpty)
        }
    }

    @Test("a message is mailed; an address that would add a header is refused")
    func contact() async throws {
        try await site { client, folder in
            let headers: HTTPFields = [.contentType: "application/x-www-form-urlencoded"]
            func send(_ form: String) async throws -> HTTPResponse.Status {
                try await client.execute(
                    uri: "/contact", method: .post, headers: headers, body: ByteBuffer(string: form)
                ).status
            }
            #expect(try await send("sender=a%40b.c&text=Hello") == .ok)
            #expect(try await send("sender=a%40b.c%0D%0ABcc%3Ax%40y.z&text=Hello") == .badRequest)
            let mails = files(folder + "/mail/new")
            #expect(mails.count == 1)
            let mail = try String(contentsOfFile: folder + "/mail/new/" + (mails.first ?? ""), encoding: .utf8)
            #expect(mail.contains("Reply-To: <a@b.c>") && mail.contains(Data("Hello".utf8).base64EncodedString()))
        }
    }
}
