// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Somebody else's service, which takes its time.
struct SlowService: Sendable {
    let seconds: Int

    func answer(_ question: String, step: (Int) async throws -> Void) async throws -> String {
        for second in 1...max(1, seconds) {
            try await Task.sleep(for: .seconds(1))
            try await step(second)
        }
        return "\(question.count) letters, \(question.split(separator: " ").count) words"
    }
}

/// The same task for both ways: the request says who runs it.
struct DashboardTasks: TaskSet {
    let ask: TaskHandle<String, Int64, String>

    init(_ app: Chard) {
        ask = app.task("dashboard.ask") { (context: TaskContext, row: Int64, question: String) in
            let service = try context.dependencies.get(SlowService.self)
            let answer = try await service.answer(question) { second in
                try await context.progress(second, of: max(1, service.seconds))
            }
            try await context.dependencies.get(Store.self).finish(row, answer)
            return answer
        }
    }
}
