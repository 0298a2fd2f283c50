// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Hummingbird

/// What somebody asks for.
struct LoanRequest: Codable, Sendable, Hashable {
    let income: Double
    let amount: Double
    let years: Int

    /// What makes no sense in it.
    var problem: String? {
        if !(0...10_000_000).contains(income) { return "income has to be a number from 0 to 10,000,000" }
        if !(1...10_000_000).contains(amount) { return "amount has to be a number from 1 to 10,000,000" }
        if !(1...40).contains(years) { return "years has to be a whole number from 1 to 40" }
        return nil
    }

    /// The same for the same request.
    var key: String { "decision:\(income):\(amount):\(years)" }
}

/// What a model has to say to it.
struct Decision: Codable, Sendable, Hashable, ResponseCodable {
    var id: String
    var approved: Bool
    /// The likelihood that it is paid back.
    var score: Double
    /// Who has decided: the model, the simulation or the bureau.
    var by: String
}

/// The models. No more than an example needs: what matters is how long they take, and in which way.
enum Model {
    /// At once: good enough to answer a request with.
    static func predict(_ request: LoanRequest) -> Double {
        let burden = request.amount / Double(request.years) / max(1, request.income)
        return 1 / (1 + exp(12 * (burden - 0.35)))
    }

    /// Thoroughly: a simulation that keeps a processor busy for so long.
    static func simulate(_ request: LoanRequest, for duration: Duration) -> Double {
        let end = ContinuousClock.now + duration
        var (good, all) = (0, 0)
        repeat {
            for _ in 0..<1_000 {
                let luck = (0..<request.years).reduce(1.0) { luck, _ in luck * Double.random(in: 0.94...1.07) }
                let lucky = LoanRequest(income: request.income * luck, amount: request.amount, years: request.years)
                good += predict(lucky) > 0.5 ? 1 : 0
                all += 1
            }
        } while ContinuousClock.now < end
        return Double(good) / Double(all)
    }

    /// Elsewhere: a bureau that is asked, and waited for without keeping a thread.
    static func askBureau(_ request: LoanRequest, for duration: Duration) async throws -> Double {
        try await Task.sleep(for: duration)
        return min(1, predict(request) * 1.05)
    }
}
