// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// The worker that the fault suite breaks. Its tasks note in the ledger, a file in the directory FAULT_LEDGER, when their
// bodies start and end. FAULT_CLOCK puts its clock wrong by so many seconds; FAULT_SPANS is a file for the spans that have ended.

import Chard
import ChardCommand
import ChardTesting
import Dispatch
import FaultClock
import FaultKit
import Foundation
import Logging
import TestServers
import Tracing

let ledger = LedgerWriter(in: ProcessInfo.processInfo.environment["FAULT_LEDGER"] ?? ".")
let app = Chard("fault")

/// Registers a task of seconds, which returns its process and how often it was lost before.
func task(
    _ name: String, options: TaskOptions = TaskOptions(),
    _ body: @escaping @Sendable @concurrent (TaskContext, Double) async throws -> Void
) {
    app.task(name, options: options) { (context: TaskContext, seconds: Double) in
        try await ledger.run(context.id) { try await body(context, seconds) }
        return [Int(getpid()), context.losses]
    }
}

task("quick") { _, _ in }
task("sleep") { _, seconds in try await Task.sleep(for: .seconds(seconds)) }
// A run that follows a loss has no need to take long again.
task("sleepUnlessLost") { context, seconds in
    try await Task.sleep(for: .seconds(context.losses > 0 ? 0 : seconds))
}
// Has something to put in order once it is cancelled.
task("tidying") { _, seconds in
    do {
        try await Task.sleep(for: .seconds(seconds))
    } catch {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + 0.3) { continuation.resume() }
        }
        throw error
    }
}
task("tracked", options: TaskOptions(tracksStart: true)) { _, seconds in try await Task.sleep(for: .seconds(seconds)) }
task("spin") { _, seconds in
    let end = LedgerLine.now + seconds
    while LedgerLine.now < end {}
}
task("stubborn") { _, seconds in
    // Neither cancelled nor blocking a thread of the pool.
    await withCheckedContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { continuation.resume() }
    }
}
task("stubbornUnlessLost") { context, seconds in
    guard context.losses == 0 else { return try await Task.sleep(for: .seconds(8)) }
    await withCheckedContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { continuation.resume() }
    }
}
task("crash") { _, _ in kill(getpid(), SIGKILL) }
task("fail") { _, _ in throw TaskError("ValueError", "as it should") }
task("retryOnce", options: TaskOptions(retry: .constant(maxRetries: 1, delay: .seconds(1)))) { context, _ in
    if context.attempt == 1 { throw TaskError("ValueError", "once") }
}
// A part of random workflows, which Python knows, too.
app.task(WorkflowTree.task, options: TaskOptions(retry: .constant(maxRetries: 2, delay: .milliseconds(10)))) {
    (context: TaskContext, input: JSON, name: String, salt: Int, fate: Int) in
    try await ledger.run(context.id) {
        try await Task.sleep(for: .milliseconds(20))
        switch WorkflowTree.Fate(rawValue: fate) {
        case .fails: throw TaskError("ValueError", "as drawn")
        case .retries where context.attempt < 3: throw TaskError("ValueError", "as drawn")
        default: return WorkflowTree.result(of: input, salt)
        }
    }
}
// Without the ledger, for a million of them: every tenth fails.
app.task("plain", options: TaskOptions(resultExpires: .seconds(10))) { (number: Int) in
    if number % 10 == 0 { throw TaskError("ValueError", "as it should") }
}
// The one that Python workers know, too.
app.task("interop.mark_sleep") { (context: TaskContext, key: String, seconds: Double, value: String) in
    try await ledger.run(context.id) { try await Task.sleep(for: .seconds(seconds)) }
    return value
}
// The one whose story is told: it fails, waits to be lost, fails again, and succeeds.
app.task("shop.charge", options: TaskOptions(retry: .constant(maxRetries: 5, delay: .milliseconds(500)))) {
    (context: TaskContext, order: Int) in
    context.logger.info("asking the bank")
    switch (context.attempt, context.losses) {
    case (1, _): throw TaskError("BankError", "try again later")
    case (2, 0): try await Task.sleep(for: .seconds(60))
    case (2, _): throw TaskError("BankError", "still closed")
    default: try await Task.sleep(for: .milliseconds(100))
    }
    return order
}

if let file = ProcessInfo.processInfo.environment["FAULT_SPANS"] {
    InstrumentationSystem.bootstrap(try RecordingTracer(appendingTo: file))
}
_ = fault_clock_offset()
await app.main()
