// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import Testing

@testable import profiles

/// The site without a worker and without a broker: in immediate mode its tasks have run before it answers.
@Suite("Profiles in immediate mode", .timeLimit(.minutes(1)))
struct ImmediateTests {
    @Test("a photo is shown with the answer to its upload, and its upload is gone")
    func photo() async throws {
        try await ProfilesSite.with { site in
            let answer = try await site.upload(Samples.photo, name: "Ada <Lovelace>")
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.text.contains("Ada &lt;Lovelace&gt;"))
            #expect(answer.text.contains(#"<img class="photo" src="/photos/1""#))
            let shown = try await site.get("/photos/1")
            #expect(shown.status == 200 && shown.bytes == Samples.photo)
            #expect(try site.files(in: "uploads").isEmpty)
            #expect(try site.files(in: "storage").count == 1)
        }
    }

    @Test("what is no photo, or a large one, leaves nothing behind")
    func refusals() async throws {
        try await ProfilesSite.with { site in
            let big = Samples.photo + [UInt8](repeating: 0, count: 6_000_000)
            for (photo, name, status) in [
                (Array("no image at all".utf8), "Text", 415), (big, "Big", 413), (Samples.photo, "", 400),
            ] {
                let answer = try await site.upload(photo, name: name)
                #expect(answer.status == status, "\(name): \(answer.text)")
            }
            #expect(try await site.get("/").text.contains("No profiles yet"))
            #expect(try site.files(in: "uploads").isEmpty)
        }
    }

    @Test("a letter to the admin is mailed with the answer")
    func contact() async throws {
        try await ProfilesSite.with { site in
            let answer = try await site.post("/contact", form: "sender=ada%40example.com&text=Hello%21")
            #expect(answer.status == 200 && answer.text.contains("on its way"))
            let mails = try site.files(in: "mail/new")
            #expect(mails.count == 1)
            let mail = try String(contentsOfFile: mails.first ?? "", encoding: .utf8)
            #expect(mail.contains("Reply-To: <ada@example.com>\r\n"))
            #expect(mail.contains(Data("Hello!".utf8).base64EncodedString()))

            #expect(try await site.post("/contact", form: "sender=nobody&text=Hello").status == 400)
            #expect(try site.files(in: "mail/new").count == 1)
        }
    }

    @Test("a task by itself: its failure is thrown where it is enqueued, after its retries, for which nobody waits")
    func failure() async throws {
        try await ProfilesSite.with { site in
            let nowhere = StoredFile(key: "nowhere", mediaType: "image/png", size: 3)
            let error = await #expect(throws: TaskError.self) { try await site.tasks.store.enqueue(1, nowhere) }
            #expect(error?.message.contains("there is no file nowhere") == true, "\(String(describing: error))")
        }
    }
}
