// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation
import TestServers
import Testing

@Suite("Files of tasks", .timeLimit(.minutes(1)))
struct FileStoreTests {
    private func folder(_ body: (FolderStore) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/store-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(FolderStore(path))
    }

    private func names(_ store: FolderStore) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: store.location)) ?? []).sorted()
    }

    @Test("what is kept is read again, replaced as a whole, and removed once")
    func folder() async throws {
        try await folder { store in
            let bytes = (0..<600_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let file = try await store.keep(bytes, name: "a.bin", mediaType: "image/png")
            #expect(file.size == 600_000 && file.name == "a.bin" && file.mediaType == "image/png")
            #expect(try await store.contents(of: file) == bytes)
            try await store.write([1], as: "state.json")
            try await store.write([2, 3], as: "state.json")
            #expect(try await store.read("state.json", atMost: 2) == [2, 3])
            #expect(names(store) == [file.key, "state.json"].sorted())
            #expect(try await store.remove(file))
            #expect(try await !store.remove(file))
        }
    }

    @Test("what is missing, too large or badly named is refused with its reason")
    func refusals() async throws {
        try await folder { store in
            func code(_ body: () async throws -> Void) async throws -> FileError.Code? {
                let error = await #expect(throws: FileError.self) { try await body() }
                return error?.code
            }
            try await store.write([1, 2, 3], as: "three")
            #expect(try await code { _ = try await store.read("none", atMost: 9) } == .missing)
            #expect(try await code { _ = try await store.read("three", atMost: 2) } == .tooLarge)
            #expect(try await code { _ = try await store.keep([1, 2, 3], atMost: 2) } == .tooLarge)
            for key in ["", "../three", ".hidden", "a/b", "a b", String(repeating: "a", count: 201), "ä"] {
                #expect(try await code { try await store.write([], as: key) } == .misnamed, "\(key)")
                #expect(try await code { _ = try await store.read(key, atMost: 9) } == .misnamed, "\(key)")
                #expect(try await code { _ = try await store.remove(key) } == .misnamed, "\(key)")
            }
            // What a message says of a file is nothing to trust.
            let lie = StoredFile(key: "three", size: .max)
            #expect(try await store.contents(of: lie) == [1, 2, 3])
            #expect(
                try await code { _ = try await store.contents(of: StoredFile(key: "three", size: -5)) } == .tooLarge)
        }
    }

    @Test("old files are swept, young ones stay")
    func sweep() async throws {
        try await folder { store in
            #expect(try await store.removeFiles(olderThan: .seconds(60)) == 0)
            try await store.write([1], as: "old")
            try await store.write([1], as: "young")
            try FileManager.default.setAttributes(
                [.modificationDate: Date(timeIntervalSinceNow: -120)], ofItemAtPath: store.location + "/old")
            #expect(try await store.removeFiles(olderThan: .seconds(60)) == 1)
            #expect(names(store) == ["young"])
        }
    }

    /// Runs a task with a file by a worker, and says whether the file is there once it has ended.
    private func isKept(
        by task: (Chard) -> TaskHandle<JSON, StoredFile>,
        send: (TaskHandle<JSON, StoredFile>, StoredFile) async throws -> AsyncResult<JSON>
    ) async throws -> Bool {
        var isKept = false
        try await folder { store in
            let app = Chard("files", broker: MemoryBroker())
            app.use(files: store)
            let task = task(app)
            let file = try await app.files.keep([1, 2, 3])
            let worker = Worker(app, options: WorkerOptions(concurrency: 1))
            let running = Task { try await worker.run() }
            _ = try await send(task, file).finalStatus(timeout: .seconds(10))
            worker.stop(.gracefully)
            try await running.value
            isKept = names(store) == [file.key]
            if !isKept { #expect(names(store).isEmpty) }
        }
        return isKept
    }

    private func task(
        _ options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable (TaskContext, StoredFile) async throws -> JSON
    ) -> (Chard) -> TaskHandle<JSON, StoredFile> {
        { app in
            app.task("file", options: options) { (context: TaskContext, file: StoredFile) in
                try await body(context, file)
            }
        }
    }

    @Test("a file goes with the success of its task, with its failure, its expiry and its revocation")
    func ends() async throws {
        let plain = task { context, file in .integer(try await context.contents(of: file).count) }
        #expect(try await !isKept(by: plain) { try await $0.enqueue($1) })
        let failing = task { _, _ in throw TaskError("ValueError", "no") }
        #expect(try await !isKept(by: failing) { try await $0.enqueue($1) })
        #expect(
            try await !isKept(by: plain) { task, file in
                try await task.enqueue(file, options: EnqueueOptions(expiresAt: Date(timeIntervalSinceNow: -1)))
            })
    }

    @Test("it stays through retries, and for the dead letter, the result or the next task that names it")
    func keeps() async throws {
        let again = TaskOptions(retry: .constant(maxRetries: 1, delay: .milliseconds(10)))
        let second = task(again) { context, file in
            let bytes = try await context.contents(of: file)
            if context.attempt == 1 { throw TaskError("OSError", "again") }
            return .integer(bytes.count)
        }
        #expect(try await !isKept(by: second) { try await $0.enqueue($1) })
        let never = task(again) { _, _ in throw TaskError("OSError", "again") }
        #expect(try await isKept(by: never) { try await $0.enqueue($1) })
        let handedOn = task { _, file in try JSON(encoding: file) }
        #expect(try await isKept(by: handedOn) { try await $0.enqueue($1) })
    }

    @Test("a file for the body of a chord stays while its members end, and goes with the body")
    func chord() async throws {
        try await folder { store in
            let app = Chard("files", broker: MemoryBroker())
            app.use(files: store)
            let double = app.task("double") { (x: Int) in 2 * x }
            let weigh = app.task("weigh") { (context: TaskContext, parts: [Int], file: StoredFile) in
                parts.reduce(0, +) + (try await context.contents(of: file).count)
            }
            let file = try await app.files.keep([1, 2, 3])
            let result = try await group([double.signature(1), double.signature(2)]).then(weigh, with: file).enqueue()
            let worker = Worker(app, options: WorkerOptions(concurrency: 1))
            let running = Task { try await worker.run() }
            let weight = try await result.value(timeout: .seconds(10))
            #expect(weight == 9)
            worker.stop(.gracefully)
            try await running.value
            #expect(names(store).isEmpty)
        }
    }

    @Test("a text that looks like a file is none")
    func quoted() async throws {
        try await folder { store in
            let app = Chard("files", broker: MemoryBroker())
            app.use(files: store)
            let echo = app.task("echo") { (_: String) in }
            try await store.write([1], as: "innocent")
            app.runImmediately()
            try await echo.enqueue(#"{"chard_file":"innocent"}"#)
            #expect(names(store) == ["innocent"])
        }
    }

    @Test("in immediate mode, too, a file goes with its task")
    func immediate() async throws {
        try await folder { store in
            let app = Chard("files")
            app.use(files: store)
            let size = app.task("size") { (context: TaskContext, file: StoredFile) in
                try await context.contents(of: file).count
            }
            app.runImmediately()
            let result = try await size.enqueue(try await app.files.keep([1, 2]))
            #expect(try await result.value() == 2)
            #expect(names(store).isEmpty)
        }
    }

    @Test("an app that keeps none says how to")
    func none() async throws {
        #expect(throws: AppError.self) { try Chard("files").files }
    }
}
