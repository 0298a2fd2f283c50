// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import Chard

protocol Mailer: Sendable {
    var name: String { get }
}

/// What was made and closed, in order.
private final class Diary: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    func note(_ line: String) { lines.withLock { $0.append(line) } }
}

@Suite("What tasks need besides their arguments")
struct DependenciesTests {
    struct Post: Mailer {
        let name: String
    }

    struct Store: Sendable {}

    private let dependencies = Dependencies()
    private let diary = Diary()

    /// Registers a store, and a mailer that is made with it.
    private func register(in dependencies: Dependencies) {
        dependencies.register(Store.self) { [diary] in
            diary.note("store made")
            return Store()
        } close: { [diary] _ in
            diary.note("store closed")
        }
        dependencies.register((any Mailer).self) { [diary] in
            _ = try dependencies.get(Store.self)
            diary.note("mailer made")
            return Post(name: "real")
        } close: { [diary] mailer in
            diary.note("mailer \(mailer.name) closed")
        }
    }

    @Test("values are found under their type, the later one")
    func own() throws {
        dependencies.register(Post(name: "a"))
        dependencies.register(Post(name: "b"))
        #expect(try dependencies.get(Post.self).name == "b")
        let inferred: Post = try dependencies.get()
        #expect(inferred.name == "b")
    }

    @Test("a protocol stands for its value, and only where it was registered so")
    func byProtocol() throws {
        dependencies.register(Post(name: "a"), as: (any Mailer).self)
        #expect(try dependencies.get((any Mailer).self).name == "a")
        #expect(throws: MissingDependency.self) { try dependencies.get(Post.self) }
    }

    @Test("a missing one is named, with the way to add it")
    func missing() {
        let error = #expect(throws: MissingDependency.self) { try dependencies.get(Post.self) }
        #expect(error?.type == "Post")
        #expect(error?.description.hasPrefix("no dependency of type Post is registered; add app.dependencies") == true)
    }

    @Test("they are made once, in order, while somebody needs them, and closed in the reverse order")
    func order() async throws {
        register(in: dependencies)
        let error = #expect(throws: MissingDependency.self) { try dependencies.get(Store.self) }
        #expect(error?.description.hasPrefix("the dependency Store is not made yet") == true)
        #expect(diary.all.isEmpty)
        async let first: Void = dependencies.open()
        async let second: Void = dependencies.open()
        _ = try await (first, second)
        #expect(try dependencies.get((any Mailer).self).name == "real")
        await dependencies.close()
        #expect(diary.all == ["store made", "mailer made"])
        await dependencies.close()
        let once = ["store made", "mailer made", "mailer real closed", "store closed"]
        #expect(diary.all == once)
        #expect(throws: MissingDependency.self) { try dependencies.get(Store.self) }
        try await dependencies.open()
        await dependencies.close()
        #expect(diary.all == once + once)
    }

    @Test("what cannot be made is named; what was made before is closed, and the next try is a new one")
    func failure() async throws {
        register(in: dependencies)
        let isBroken = Mutex(true)
        dependencies.register(Post.self) {
            if isBroken.withLock({ $0 }) { throw TaskError("OSError", "no post today") }
            return Post(name: "late")
        }
        let error = await thrown(AppError.self) { try await dependencies.open() }
        #expect(error?.description == "the dependency Post cannot be made: OSError: no post today")
        #expect(diary.all == ["store made", "mailer made", "mailer real closed", "store closed"])
        isBroken.withLock { $0 = false }
        try await dependencies.open()
        #expect(try dependencies.get(Post.self).name == "late")
        await dependencies.close()
    }

    @Test("a test's value takes the place of what would be made, which then is not")
    func replaced() async throws {
        register(in: dependencies)
        dependencies.register(Post(name: "fake"), as: (any Mailer).self)
        try await dependencies.open()
        #expect(try dependencies.get((any Mailer).self).name == "fake")
        await dependencies.close()
        #expect(diary.all == ["store made", "store closed"])
        #expect(try dependencies.get((any Mailer).self).name == "fake")
    }

    @Test("a worker makes them before it takes work, and closes them when all is settled; an enqueue makes none")
    func worker() async throws {
        let (app, _) = makeApp()
        register(in: app.dependencies)
        let task = app.task("mail") { [diary] (context: TaskContext) in
            diary.note("run")
            return try context.dependencies.get((any Mailer).self).name
        }
        let call = try await task.enqueue()
        #expect(diary.all.isEmpty)
        let name = try await withWorker(app) { _ in try await call.value(timeout: .seconds(20)) }
        #expect(name == "real")
        #expect(diary.all == ["store made", "mailer made", "run", "mailer real closed", "store closed"])
    }

    @Test("a worker whose dependency cannot be made takes no work")
    func workerWithout() async throws {
        let (app, broker) = makeApp()
        app.dependencies.register(Store.self) { throw TaskError("OSError", "disk full") }
        let task = app.task("t") { () in 1 }
        try await task.enqueue()
        let error = await thrown(AppError.self) { try await Worker(app, logger: quietLogger).run() }
        #expect(error?.description == "the dependency Store cannot be made: OSError: disk full")
        #expect(try await broker.queues().first?.waiting == 1)
    }

    @Test("what tasks require is checked before a worker starts, and need not be there to send")
    func required() async throws {
        let (app, _) = makeApp()
        app.dependencies.require(Store.self)
        app.dependencies.require((any Mailer).self)
        app.dependencies.register(Post(name: "a"), as: (any Mailer).self)
        let task = app.task("t") { () in 1 }
        try await task.enqueue()
        let error = #expect(throws: AppError.self) { try app.validate() }
        #expect(
            error?.description
                == "app is set up wrongly:\n- its tasks need a dependency of type Store, and none is registered; add "
                + "app.dependencies.register(...)")
        await #expect(throws: AppError.self) { try await Worker(app, logger: quietLogger).run() }
        app.dependencies.register(Store.self, make: { Store() })
        try app.validate()
    }

    @Test("immediate mode makes them before the first run")
    func immediate() async throws {
        let app = Chard("app")
        register(in: app.dependencies)
        app.runImmediately(failures: .thrown)
        let task = app.task("mail") { (context: TaskContext) in try context.dependencies.get((any Mailer).self).name }
        #expect(try await task.enqueue().value() == "real")
        #expect(try await task.enqueue().value() == "real")
        #expect(diary.all == ["store made", "mailer made"])
    }
}
