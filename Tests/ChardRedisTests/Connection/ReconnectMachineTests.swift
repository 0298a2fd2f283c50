// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import Testing

@testable import ChardRedis

@Suite("When a lost connection is opened again")
struct ReconnectMachineTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var machine = ReconnectMachine(delays: .milliseconds(50) ... .seconds(2))

    @Test("Waits double from 50 ms to 2 s, and are drawn from the whole range")
    mutating func delays() {
        #expect(machine.start() == true)
        #expect(machine.start() == false)
        var waits: [Int64] = []
        for _ in 0..<8 {
            waits.append((machine.failed(now: start, draw: 1)?.nanoseconds ?? -1) / 1_000_000)
            #expect(machine.waited() == true)
        }
        #expect(waits == [50, 100, 200, 400, 800, 1600, 2000, 2000])
        #expect(machine.failed(now: start, draw: 0.25) == .milliseconds(500))
    }

    @Test("A connection that was opened elsewhere is used where there is none, not even one on its way")
    mutating func offered() {
        #expect(machine.offered() == true)
        #expect(machine.start() == false)
        #expect(machine.opened(now: start) == true)
        #expect(machine.offered() == false)
        #expect(machine.failed(now: start, draw: 1) != nil)
        // While it waits for the next attempt, whose time then comes for nothing.
        #expect(machine.offered() == true)
        #expect(machine.waited() == false)
        #expect(machine.offered() == false)
        #expect(machine.opened(now: start) == true)
        #expect(machine.close() == true)
        #expect(machine.offered() == false)
    }

    @Test("Very many failures keep the longest wait")
    mutating func manyFailures() {
        _ = machine.start()
        for _ in 0..<200 {
            _ = machine.failed(now: start, draw: 1)
            _ = machine.waited()
        }
        #expect(machine.failed(now: start, draw: 1) == .seconds(2))
    }

    @Test("A connection that lasted begins the waits anew; one lost at once does not")
    mutating func reset() {
        _ = machine.start()
        for _ in 0..<3 {
            _ = machine.failed(now: start, draw: 1)
            _ = machine.waited()
        }
        #expect(machine.opened(now: start) == true)
        #expect(machine.failed(now: start + .seconds(1), draw: 1) == .milliseconds(400))
        #expect(machine.waited() == true)
        #expect(machine.opened(now: start) == true)
        #expect(machine.generation == 2)
        #expect(machine.failed(now: start + .seconds(2), draw: 1) == .milliseconds(50))
    }

    @Test("Nothing is opened after the end")
    mutating func closed() {
        _ = machine.start()
        #expect(machine.close() == true)
        #expect(machine.close() == false)
        #expect(machine.opened(now: start) == false)
        #expect(machine.failed(now: start, draw: 1) == nil)
        #expect(machine.waited() == false)
        #expect(machine.start() == false)
        #expect(machine.generation == 0)
    }
}
