// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardSQLite

/// One thing that the tour shows.
protocol Chapter: Sendable {
    /// What it is about.
    var title: String { get }
    /// The lines of code that matter; they run, as here, in ``play(on:)`` and ``Shop``.
    var code: String { get }
    /// Does it, and tells what came of it.
    func play(on stage: Stage) async throws
}

/// A chapter that ends the worker.
protocol Ending: Sendable {
    /// What it is about.
    var title: String { get }
    /// The lines that matter.
    var code: String { get }
    /// Does it, tells what came of it, and returns the worker that is there afterwards.
    func play(on stage: Stage, with staff: Staff) async throws -> Staff
}

/// What a chapter plays with.
struct Stage: Sendable {
    let shop: Shop
    let broker: SQLiteBroker
    /// The file that the broker keeps.
    let file: String
    let tell: Narrator

    /// Ends the tour if something is not as it should be: what it shows has to be true.
    func check(_ isTrue: Bool, _ expectation: String) throws {
        if !isTrue { throw Surprise(expectation: expectation) }
    }

    /// Starts a worker process beside this one.
    func startWorker(_ node: String) async throws -> Staff {
        try await Staff.start(node, on: file, broker)
    }

    /// The error that a call has to fail with.
    func failure<Output>(of call: AsyncResult<Output>) async throws -> TaskError {
        do {
            let value = try await call.value(timeout: .seconds(5))
            throw Surprise(expectation: "a failure, not \(value)")
        } catch let error as TaskError {
            return error
        }
    }
}

/// Something that the tour shows is not so.
struct Surprise: Error, CustomStringConvertible {
    let expectation: String
    var description: String { "expected was: \(expectation); this is a bug in Chard or in the tour, please report it" }
}
