// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Synchronization

/// The broker, as probes and metrics ask it: never for long, and no more often than is of use.
final class ProbedBroker: Sendable {
    /// So long a broker may take for its answer; kubelet's own patience is a second unless it is told otherwise.
    private static let patience = Duration.seconds(2)

    private let app: Chard
    private let gauges: Gauges
    private let executor = QueueExecutor("chard.probes.broker")
    private let state = Mutex(State())

    private struct State {
        var isAsking = false
        var askedAt: ContinuousClock.Instant?
    }

    init(_ app: Chard, _ gauges: Gauges) {
        self.app = app
        self.gauges = gauges
    }

    /// Why the broker cannot be reached; `nil` if it can.
    func whyNotReached() async -> String? {
        let broker: any Broker
        do {
            broker = try app.broker
        } catch {
            return "\(error)"
        }
        switch await Deadline.result(within: Self.patience, on: executor, { try await broker.connect() }) {
        case .success: return nil
        case .failure(let error): return "the broker cannot be used: \(error)"
        case nil: return "the broker does not answer within \(Self.patience)"
        }
    }

    /// Brings the gauges up to date, unless that was done a second ago.
    func record() async {
        let isFree = state.withLock { state in
            if state.isAsking || state.askedAt.map({ .now - $0 < .seconds(1) }) ?? false { return false }
            state.isAsking = true
            return true
        }
        guard isFree else { return gauges.recordWorker() }
        let result = await Deadline.result(within: Self.patience, on: executor) { [gauges] in try await gauges.record()
        }
        if result == nil { gauges.forgetQueues() }
        state.withLock { $0 = State(isAsking: false, askedAt: .now) }
    }
}
