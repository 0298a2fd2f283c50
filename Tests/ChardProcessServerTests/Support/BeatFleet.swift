// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import TestServers

/// Some `chard beat` processes on one server, of which one after the other is killed or stopped.
struct BeatFleet {
    let bench: ProcessBench
    private var beats: [Program] = []
    private(set) var kills = 0
    private(set) var stops = 0

    init(_ bench: ProcessBench, count: Int) async throws {
        self.bench = bench
        for _ in 0..<count { beats.append(try await start()) }
    }

    private func start() async throws -> Program {
        let beat = try bench.start("chard", ["beat"])
        try await beat.says("beat is ready")
        return beat
    }

    /// Kills the first one and starts another in its place.
    mutating func kill() async throws {
        let first = beats.removeFirst()
        first.signal(9)
        try await first.finished()
        kills += 1
        beats.append(try await start())
    }

    /// Stops the first one, as if its machine slept, and lets it go on after a while.
    mutating func freeze(for duration: Duration) async throws {
        let first = beats.removeFirst()
        first.signal(19)
        try await Task.sleep(for: duration)
        first.signal(18)
        stops += 1
        beats.append(first)
    }

    /// Ends all of them.
    func stop() async throws -> [Int32] {
        for beat in beats { beat.signal(15) }
        var statuses: [Int32] = []
        for beat in beats { statuses.append(try await beat.finished()) }
        return statuses
    }
}
