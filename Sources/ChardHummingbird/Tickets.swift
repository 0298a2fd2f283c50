// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Synchronization

/// Which ids were given out, kept beside the results under names of their own, so that an id that never was can be told from one
/// whose task still waits, and from one whose result has been forgotten.
final class Tickets: Sendable {
    enum Prospect: Sendable {
        case unknown, pending, expired
    }

    /// Given out while their store was away; kept here for as long as it is.
    private let unsaved = Mutex<[String: StatusRecord]>([:])
    private static let mostUnsaved = 10_000
    private let app: Chard
    private let lifetime: Duration

    init(_ app: Chard, lifetime: Duration) {
        self.app = app
        self.lifetime = lifetime
    }

    /// Enqueues a call, of which it is known from then on that it was given out.
    func give<Output>(for signature: Signature<Output>) async throws -> AsyncResult<Output> {
        var signature = signature
        let id = signature.options.id ?? TaskID.random()
        signature.options.id = id
        // The ticket first: an id that a client has must not be unknown, whatever happens in between.
        try await save([record(of: id, signature.options)])
        // Whoever was told that it took too long must not find it done.
        try Task.checkCancellation()
        let call: AsyncResult<Output>
        do {
            call = try await app.enqueue(signature)
        } catch {
            await forget(id)
            throw error
        }
        if call.placement == nil {
            await forget(id)
            throw AppError("task \(signature.task) was left out by middleware; there is no job to be redeemed")
        }
        if call.id != id {
            try await save([record(of: call.id, signature.options)])
            await forget(id)
        }
        return call
    }

    /// What there is to be expected of an id without a status.
    func prospect(of id: String) async throws -> Prospect {
        if unsaved.withLock({ $0[name(of: id)] != nil }) { return .pending }
        guard let ticket = try await app.results.status(of: name(of: id)) else { return .unknown }
        let kept = Date(timeIntervalSince1970: ticket.result["due"]?.number ?? 0) + app.settings.resultExpires.seconds
        if app.settings.now() < kept { return .pending }
        // So long after its time it has most likely ended, unless no worker was there, or it is tried again and again.
        switch try await app.find(id)?.place {
        case .waiting, .delayed, .leased: return .pending
        case .dead, .gone, nil: return .expired
        }
    }

    private func record(of id: String, _ options: EnqueueOptions) -> StatusRecord {
        let now = app.settings.now()
        let due = options.eta ?? now.addingTimeInterval(options.countdown?.seconds ?? 0)
        let ticket: JSON = ["due": .number(due.timeIntervalSince1970)]
        return StatusRecord(
            TaskStatus(id: name(of: id), state: .pending, result: ticket.encoded()),
            timeToLive: .seconds(max(0, due.timeIntervalSince(now))) + lifetime)
    }

    private func name(of id: String) -> String { "ticket:\(id)" }

    private func save(_ records: [StatusRecord]) async throws {
        let late = unsaved.withLock { Array($0.values.prefix(500)) }
        do {
            try await app.results.store(records + late)
            unsaved.withLock { unsaved in
                for record in late { unsaved[record.id] = nil }
            }
        } catch let error as BrokerError where error.isRetryable && app.settings.sendBuffer > 0 {
            // The call is kept in memory as well.
            try unsaved.withLock { unsaved in
                guard unsaved.count + records.count <= Self.mostUnsaved else { throw error }
                for record in records { unsaved[record.id] = record }
            }
        }
    }

    private func forget(_ id: String) async {
        let name = name(of: id)
        unsaved.withLock { $0[name] = nil }
        _ = try? await app.results.forget(name)
    }
}
