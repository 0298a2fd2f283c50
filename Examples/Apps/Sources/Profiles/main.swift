// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHummingbird
import Hummingbird
import Pages

// `profiles serve` is the web server with a worker inside; with `--no-worker`, and `profiles worker` beside it, two.

let app = Chard("profiles")
let tasks = app.add(ProfileTasks.self)
app.use(files: FolderStore(setting("PROFILES_UPLOADS", or: "profiles-uploads")))
app.dependencies.register(Store.self, make: { try Store(path: setting("PROFILES_DATABASE", or: "profiles.sqlite")) })
app.dependencies.register(
    SlowStorage.self,
    make: {
        SlowStorage(
            folder: setting("PROFILES_STORAGE", or: "profiles-storage"),
            delay: .seconds(Int(setting("PROFILES_SECONDS", or: "3")) ?? 3))
    })
app.dependencies.register(
    Mail.self,
    make: {
        try Mail(
            admin: setting("PROFILES_ADMIN", or: "admin@localhost"), smtp: setting("PROFILES_SMTP", or: ""),
            maildir: setting("PROFILES_MAILDIR", or: "profiles-mail"))
    })

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serves the site.")

    @OptionGroup var site: SiteOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        try await common.withApp { app in
            let background = BackgroundTasks(app)
            let router = Router(context: TasksContext.self)
            router.add(middleware: ProblemPages())
            router.add(middleware: TasksMiddleware(background: background))
            try ProfileSite(app, tasks).addRoutes(to: router)
            try await site.serve(app, router, background: background)
        }
    }
}

await app.main(commands: [Serve.self])
