// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Synchronization
import Testing

@testable import Chard

@Suite("The pool of threads for bodies that block", .fewAtATime, .timeLimit(.minutes(3)))
struct BlockingPoolTests {
    @Test("results and errors come back")
    func results() async throws {
        let pool = BlockingPool(limit: 2)
        defer { pool.shutdown() }
        #expect(try await pool.run { 42 } == 42)
        let error = await thrown(TaskError.self) { try await pool.run { throw TaskError("E", "x") } }
        #expect(error == TaskError("E", "x"))
    }

    @Test("as many run at once as the limit says, no more")
    func bounded() async throws {
        let pool = BlockingPool(limit: 3)
        defer { pool.shutdown() }
        let (gate, crowd) = (Gate(), Crowd())
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    try await pool.run {
                        crowd.enter()
                        defer { crowd.leave() }
                        return gate.block()
                    }
                }
            }
            try await eventually("three run") { crowd.now == 3 }
            gate.open()
            for try await opened in group { #expect(opened) }
        }
        #expect(crowd.most == 3)
    }

    @Test("threads are used again")
    func reused() async throws {
        let pool = BlockingPool(limit: 200)
        defer { pool.shutdown() }
        for number in 0..<200 { #expect(try await pool.run { number } == number) }
        // Another one starts where those that have told their result did not come to say that they are idle.
        #expect(pool.threads < 20)
    }

    @Test("what was submitted before the shutdown runs, and the threads go")
    func shutdown() async throws {
        let pool = BlockingPool(limit: 2)
        let (gate, done) = (Gate(), Recorder<Int>())
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<6 {
                group.addTask {
                    try await pool.run {
                        if gate.block() { done.add(number) }
                    }
                }
            }
            try await eventually("two have come") { gate.arrivals == 2 }
            pool.shutdown()
            gate.open()
            try await group.waitForAll()
        }
        #expect(done.count == 6)
        try await eventually("the threads are gone") { pool.threads == 0 }
    }

    @Test("what comes after the shutdown runs all the same, on a thread that goes again")
    func late() async throws {
        let pool = BlockingPool(limit: 1)
        #expect(try await pool.run { 1 } == 1)
        pool.shutdown()
        try await eventually("the thread is gone") { pool.threads == 0 }
        #expect(try await pool.run { 2 } == 2)
        try await eventually("the late thread is gone") { pool.threads == 0 }
    }
}
