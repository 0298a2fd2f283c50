// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import ChardCommand
import ChardHTTPFiles
import ChardHummingbird
import Hummingbird
import Pages

// `reviews serve` is the web server with a worker and the clock inside; with `--no-worker` it only serves, and `reviews worker
// --beat` works.

let app = Chard("reviews")
let tasks = app.add(ReviewTasks.self)
app.dependencies.register(
    Backup.self,
    make: {
        let place = setting("REVIEWS_UPLOAD", or: "reviews-upload")
        let uploads: any FileStore = place.contains("://") ? try HTTPFileStore(place) : FolderStore(place)
        return Backup(dataset: setting("REVIEWS_DATASET", or: "reviews-dataset"), uploads: uploads)
    })
app.dependencies.register(
    Store.self,
    make: {
        let backup = try app.dependencies.get(Backup.self)
        return try await Store(path: setting("REVIEWS_DATABASE", or: "reviews.sqlite"), restoring: backup.newest)
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
            ReviewSite(store: try app.dependencies.get(Store.self)).addRoutes(to: router)
            try await site.serve(app, router, background: background, hasBeat: site.worker)
        }
    }
}

await app.main(commands: [Serve.self])
