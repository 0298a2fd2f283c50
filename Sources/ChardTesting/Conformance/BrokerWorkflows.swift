// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// Random workflows, trees of chains and chords some of whose tasks fail, are retried or arrive twice, on workers of a broker,
/// checked against a model in plain code: each comes to the end that the model says, and the body of each chord runs once.
///
/// The same seed makes the same trees; a failure names it.
public struct BrokerWorkflows: Sendable, CustomStringConvertible {
    /// What the trees are drawn from.
    public let seed: UInt64
    /// How many trees there are, all at once.
    public let trees: Int
    /// How deep chains and chords stand within one another, at most.
    public let depth: Int

    /// Makes a run.
    public init(seed: UInt64, trees: Int = 10, depth: Int = 3) {
        self.seed = seed
        self.trees = trees
        self.depth = depth
    }

    /// The seed.
    public var description: String { "workflows of seed \(seed)" }

    /// Runs the trees on a store that nothing else uses.
    /// - Throws: ``BrokerClauseFailure`` if one of them comes to another end.
    public func verify(on fixture: any BrokerFixture) async throws { try await run(on: fixture, nil) }

    /// Runs the trees on such a store, with results on another one.
    /// - Throws: ``BrokerClauseFailure`` if one of them comes to another end.
    public func verify(on fixture: any BrokerFixture, resultsOn results: any BrokerFixture) async throws {
        try await run(on: fixture, results)
    }

    private func run(on fixture: any BrokerFixture, _ results: (any BrokerFixture)?) async throws {
        let trial = Trial("random workflows", "Every workflow comes to the end that its parts say.", on: fixture)
        let elsewhere = results.map { Trial(trial.clause, trial.promise, on: $0) }
        do {
            try await play(trial, elsewhere)
        } catch {
            await trial.end()
            await elsewhere?.end()
            throw error
        }
        await trial.end()
        await elsewhere?.end()
    }

    private func play(_ trial: Trial, _ elsewhere: Trial?) async throws {
        let runs = RunCount()
        func app() async throws -> Chard {
            Self.app(on: try await trial.broker(), resultsOn: try await elsewhere?.broker(), runs)
        }
        let client = try await app()
        client.add(SendingMembersTwice())
        let workers = [Self.worker(try await app()), Self.worker(try await app())]
        var random = SeededGenerator(seed: seed)
        let drawn = (0..<trees).map { number in
            let tree = WorkflowTree.drawn(depth: depth, in: "\(number)", &random)
            return number % 5 == 4 ? tree.failing(&random) : tree
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { try await worker.run() } }
            defer { for worker in workers { worker.stop(.now) } }
            var results: [AsyncResult<JSON>] = []
            for tree in drawn { results.append(try await tree.workflow.enqueue(1, by: client)) }
            for (tree, result) in zip(drawn, results) {
                let status = try await end(of: result, tree, trial)
                try trial.equal(
                    status.state == .success ? status.result.integer : nil, tree.end(of: 1),
                    "\(self), the end of \(tree): \(status.result)")
            }
            try await trial.eventually("\(self): nothing is left") {
                try await client.operator.queues.reports().allSatisfy {
                    $0.waiting == 0 && $0.leased == 0 && $0.delayed == 0
                }
            }
        }
        for body in drawn.flatMap(\.bodies) {
            let count = runs.count(of: body)
            try trial.hold(count <= 1, "\(self): the body \(body) ran \(count) times")
        }
    }

    private func end(of result: AsyncResult<JSON>, _ tree: WorkflowTree, _ trial: Trial) async throws -> TaskStatus {
        do {
            return try await result.finalStatus(timeout: .seconds(60))
        } catch let error as ResultTimeout {
            throw trial.failure("\(self): \(tree) comes to no end: \(error)")
        }
    }

    private static func app(on broker: any Broker, resultsOn results: (any Broker)?, _ runs: RunCount) -> Chard {
        let app = Chard("workflows", broker: broker, results: results)
        let retry = RetryPolicy.constant(maxRetries: 2, delay: .milliseconds(10))
        app.task("tree", options: TaskOptions(retry: retry)) {
            (context: TaskContext, input: JSON, name: String, salt: Int, fate: Int) in
            runs.add(name)
            switch WorkflowTree.Fate(rawValue: fate) {
            case .fails: throw Hopeless()
            case .retries where context.attempt < 3: throw Hopeless()
            default: return WorkflowTree.result(of: input, salt)
            }
        }
        return app
    }

    private static func worker(_ app: Chard) -> Worker {
        let quiet = Logger(label: "workflows") { _ in SwiftLogNoOpLogHandler() }
        return Worker(app, options: WorkerOptions(concurrency: 4), logger: quiet)
    }
}

private struct Hopeless: Error {}

/// How often each task has run.
private final class RunCount: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func add(_ name: String) { counts.withLock { $0[name, default: 0] += 1 } }
    func count(of name: String) -> Int { counts.withLock { $0[name, default: 0] } }
}

/// Sends each member of a chord twice, as a broker may deliver it.
private struct SendingMembersTwice: Middleware {
    func enqueue(
        _ messages: [TaskMessage], next: @Sendable ([TaskMessage]) async throws -> Enqueued
    ) async throws -> Enqueued {
        try await next(
            messages.flatMap { message in
                let isMember = (try? message.decodeBody())?.embed.chord != nil
                return isMember ? [message, message] : [message]
            })
    }
}
