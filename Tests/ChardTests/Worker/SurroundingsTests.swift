// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Chard

@Suite("What a task finds around it", .fewAtATime, .timeLimit(.minutes(3)))
struct SurroundingsTests {
    let app: Chard
    let broker: MemoryBroker

    init() {
        (app, broker) = makeApp()
    }

    struct Shop: Sendable {
        var name: String
    }

    @Test("dependencies are there, and a missing one is named")
    func dependencies() async throws {
        app.dependencies.register(Shop(name: "corner"))
        let has = app.task("has") { (context: TaskContext) in try context.dependencies.get(Shop.self).name }
        let lacks = app.task("lacks") { (context: TaskContext) in
            _ = try context.dependencies.get((any Mailer).self)
        }
        try await withWorker(app) { _ in
            let name = try await has.enqueue().value(timeout: .seconds(20))
            #expect(name == "corner")
            let error = await thrown(TaskError.self) { try await lacks.enqueue().value(timeout: .seconds(20)) }
            #expect(error?.type == "MissingDependency")
            #expect(error?.message.hasPrefix("no dependency of type Mailer is registered") == true)
        }
    }

    @Test("the context tells what came with the message")
    func context() async throws {
        let task = app.task("t") { (context: TaskContext) in
            [
                context.id, context.task, context.queue, context.node, "\(context.attempt)", "\(context.losses)",
                "\(context.headers["who"] ?? nil)", "\(context.expires != nil)", "\(TaskContext.current?.id ?? "-")",
            ]
        }
        try await withWorker(app, queues: ["q"]) { _ in
            let options = EnqueueOptions(queue: "q", expires: .seconds(60), headers: ["who": "me"], id: "id")
            let told = try await task.enqueue(options: options).value(timeout: .seconds(20))
            #expect(told == ["id", "t", "q", "test@here", "1", "0", "\"me\"", "true", "id"])
        }
        #expect(TaskContext.current == nil)
    }

    @Test("what a task sends has it as parent, and its root as root")
    func lineage() async throws {
        let leaf = app.task("leaf") { (context: TaskContext) in
            [context.message.rootID ?? "-", context.message.parentID ?? "-"]
        }
        let middle = app.task("middle") { (context: TaskContext) in
            try await leaf.enqueue(options: EnqueueOptions(id: "leaf"))
            return [context.message.rootID ?? "-", context.message.parentID ?? "-"]
        }
        let root = app.task("root") { (context: TaskContext) in
            // In a child task too: the context is task-local.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await middle.enqueue(options: EnqueueOptions(id: "middle")) }
                try await group.waitForAll()
            }
            return [context.message.rootID ?? "-", context.message.parentID ?? "-"]
        }
        try await withWorker(app) { _ in
            let result = try await root.enqueue(options: EnqueueOptions(id: "root"))
            #expect(try await result.value(timeout: .seconds(20)) == ["root", "-"])
            #expect(try await middle.result(of: "middle").value(timeout: .seconds(20)) == ["root", "root"])
            #expect(try await leaf.result(of: "leaf").value(timeout: .seconds(20)) == ["root", "middle"])
            #expect(try await leaf.result(of: "leaf").status().parentID == "middle")
        }
    }

    @Test("a blocking body knows its context as well")
    func blockingLineage() async throws {
        let task = app.blockingTask("t") { (context: TaskContext) in context.message.rootID ?? "-" }
        try await withWorker(app) { _ in
            let root = try await task.enqueue(options: EnqueueOptions(id: "id")).value(timeout: .seconds(20))
            #expect(root == "id")
        }
    }

    @Test("what a retried task sends still belongs to the root")
    func retriedLineage() async throws {
        let leaf = app.task("leaf") { (context: TaskContext) in
            [context.message.rootID ?? "-", context.message.parentID ?? "-"]
        }
        let task = app.task("t") { (context: TaskContext) in
            if context.attempt == 1 { throw Retry(after: .milliseconds(1)) }
            try await leaf.enqueue(options: EnqueueOptions(id: "leaf"))
        }
        try await withWorker(app) { _ in
            try await task.enqueue(options: EnqueueOptions(id: "root")).value(timeout: .seconds(20))
            let lineage = try await leaf.result(of: "leaf").value(timeout: .seconds(20))
            #expect(lineage == ["root", "root"])
        }
    }
}
