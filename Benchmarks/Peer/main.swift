// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// A program that any benchmark can drive: what it sends and runs, and how long that took, with Chard's public API and
// nothing else. `chard-bench-peer worker` runs the tasks; the other commands print one line of JSON.

import Chard
import ChardCommand

if let concurrency = Bench.environment["BENCH_CONCURRENCY"] {
    setEnvironment("CHARD_WORKER_CONCURRENCY", concurrency)
}
_ = Bench.tasks
await Bench.app.main(commands: [
    EnqueueCommand.self, LatencyCommand.self, ETACommand.self, SlowCommand.self, BacklogCommand.self,
    ChordCommand.self, ChainCommand.self, FleetCommand.self,
])
