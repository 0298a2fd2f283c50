// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardHummingbird
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import Pages

/// The pages of the site.
struct ProfileSite: Sendable {
    static let photoLimit = 5 << 20

    private let tasks: ProfileTasks
    private let store: Store
    private let storage: SlowStorage
    private let files: any FileStore

    init(_ app: Chard, _ tasks: ProfileTasks) throws {
        self.tasks = tasks
        store = try app.dependencies.get(Store.self)
        storage = try app.dependencies.get(SlowStorage.self)
        files = try app.files
    }

    func addRoutes(to router: Router<TasksContext>) {
        router.get("/") { _, _ in page(try await list()) }
        router.get("/list") { _, _ in try await list() }
        router.post("/profiles") { request, context in try await create(request, context) }
        router.get("/photos/{id}") { _, context in try await photo(context) }
        router.get("/contact") { _, _ in contactPage }
        router.post("/contact") { request, context in try await contact(request, context) }
    }

    // MARK: Profiles

    private func create(_ request: Request, _ context: TasksContext) async throws -> Response {
        let parts: [FormPart]
        do {
            parts = try await request.formParts(atMost: Self.photoLimit + 10_000)
        } catch FormError.tooLarge {
            return tooLarge
        } catch FormError.unreadable {
            return Page.problem("Not a profile", "The form is incomplete.").page(.badRequest)
        }
        let name = parts.first { $0.name == "name" }?.text ?? ""
        guard (1...100).contains(name.count) else {
            return Page.problem("Not a profile", "A profile needs a name of at most 100 characters.").page(.badRequest)
        }
        let photo = parts.first { $0.name == "photo" }
        guard let photo, let type = ImageType(photo.bytes) else {
            return Page.problem("No photo", "The photo has to be a PNG, JPEG, GIF or WebP file.")
                .page(.unsupportedMediaType)
        }
        guard photo.bytes.count <= Self.photoLimit else { return tooLarge }
        let file = try await files.keep(photo.bytes, name: photo.fileName ?? "", mediaType: type.rawValue)
        let id = try await store.add(name)
        do {
            try await context.enqueue(tasks.store, id, file)
        } catch {
            // Nothing half done.
            try await store.remove(id)
            try await files.remove(file)
            throw error
        }
        return .redirect(to: "/", type: .normal)
    }

    private var tooLarge: Response {
        Page.problem("Too large", "A photo may have 5 MB.").page(.contentTooLarge)
    }

    private func photo(_ context: TasksContext) async throws -> Response {
        guard let id = context.parameters.get("id", as: Int64.self), let profile = try await store.profile(id),
            let key = profile.photo
        else { return Page.problem("No photo", "There is no photo at this address.").page(.notFound) }
        let bytes = try await storage.get(key)
        return Response(
            status: .ok,
            headers: [
                .contentType: profile.photoType ?? "image/png", .xContentTypeOptions: "nosniff",
                .cacheControl: "private, max-age=86400",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    private func list() async throws -> HTML {
        let cards = try await store.profiles().map { profile -> HTML in
            let id = profile.id ?? 0
            let photo: HTML =
                profile.photo == nil
                ? "<span class=\"state open\">on its way</span>"
                : "<img class=\"photo\" src=\"/photos/\(id)\" alt=\"\(profile.name)\">"
            return """
                <tr data-state="\(profile.photo == nil ? "open" : "done")"><td>\(profile.name)</td><td>\(photo)</td></tr>
                """
        }
        return cards.isEmpty ? "<p class=\"quiet\">No profiles yet.</p>" : "<table>\(cards)</table>"
    }

    private func page(_ list: HTML) -> HTML {
        Page(
            "Profiles",
            """
            <form method="post" action="/profiles" enctype="multipart/form-data">
            <label for="name">Name</label>
            <input id="name" name="name" required maxlength="100">
            <label for="photo">Photo <span class="quiet">(up to 5 MB)</span></label>
            <input id="photo" name="photo" type="file" accept="image/*" required>
            <button>Add</button>
            </form>
            <div id="list" aria-live="polite">\(list)</div>
            <p><a href="/contact">Write to the admin</a></p>
            <script>
            const list = document.getElementById("list");
            async function refresh() {
              try {
                const answer = await fetch("/list");
                if (answer.ok) list.innerHTML = await answer.text();
              } catch { /* The site is away; it is asked again. */ }
              watch();
            }
            function watch() { if (list.querySelector("[data-state=open]")) setTimeout(refresh, 1000); }
            watch();
            </script>
            """
        ).html
    }

    // MARK: Contact

    private struct Letter: Decodable {
        let sender: String
        let text: String
    }

    private func contact(_ request: Request, _ context: TasksContext) async throws -> Response {
        let letter = try? await URLEncodedFormDecoder().decode(Letter.self, from: request, context: context)
        guard let letter, Mail.isAddress(letter.sender) else {
            return Page.problem("No address", "The admin needs an address to answer to.", back: "/contact")
                .page(.badRequest)
        }
        let text = letter.text.trimmingSpace()
        guard (1...10_000).contains(text.count) else {
            return Page.problem("No text", "A message has 1 to 10,000 characters.", back: "/contact").page(.badRequest)
        }
        try await context.enqueue(tasks.mail, letter.sender, text)
        return Page("Thank you", "<p id=\"sent\">Your message is on its way.</p><p><a href=\"/\">Profiles</a></p>").html
            .page()
    }

    private var contactPage: HTML {
        Page(
            "Write to the admin",
            """
            <form method="post" action="/contact">
            <label for="sender">Your address</label>
            <input id="sender" name="sender" type="email" required maxlength="200">
            <label for="text">Message</label>
            <textarea id="text" name="text" rows="6" required maxlength="10000"></textarea>
            <button>Send</button>
            </form>
            <p><a href="/">Profiles</a></p>
            """
        ).html
    }
}
