// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Pages

/// What is decided in a worker, and what is written after a response.
struct DecisionTasks: TaskSet {
    /// Blocks a thread of its own.
    let simulate: TaskHandle<Decision, LoanRequest>
    /// Waits, and blocks nobody.
    let askBureau: TaskHandle<Decision, LoanRequest>
    /// Writes a decision down.
    let save: TaskHandle<Void, Decision>
    /// Remembers the decision about a request.
    let remember: TaskHandle<Void, String, Decision>

    init(_ app: Chard) {
        let seconds = Duration.seconds(Int(setting("DECISIONS_SECONDS", or: "2")) ?? 2)
        // A database that is away may be back in a moment.
        let again = TaskOptions(retry: .exponential(maxRetries: 6))
        save = app.task("decisions.save", options: again) { (context: TaskContext, decision: Decision) in
            try await context.dependencies.get((any Store).self).save(decision)
        }
        remember = app.task("decisions.remember") { (context: TaskContext, key: String, decision: Decision) in
            try await context.dependencies.get(Cache.self).set(key, decision)
        }
        simulate = app.blockingTask("decisions.simulate", options: again) {
            (context: TaskContext, request: LoanRequest) in
            let decision = Decision(id: context.id, Model.simulate(request, for: seconds), by: "simulation")
            try context.dependencies.get((any Store).self).saveBlocking(decision)
            return decision
        }
        askBureau = app.task("decisions.ask_bureau", options: again) {
            (context: TaskContext, request: LoanRequest) in
            let score = try await Model.askBureau(request, for: seconds)
            let decision = Decision(id: context.id, score, by: "bureau")
            try await context.dependencies.get((any Store).self).save(decision)
            return decision
        }
    }
}

extension Decision {
    init(id: String, _ score: Double, by decider: String) {
        self.init(id: id, approved: score > 0.5, score: (score * 1_000).rounded() / 1_000, by: decider)
    }
}
