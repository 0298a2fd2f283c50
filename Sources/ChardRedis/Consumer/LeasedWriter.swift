// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore

/// Writes what a consumer may write for as long as its lease holds, and so long again through lost connections.
struct LeasedWriter: Sendable {
    let core: NIOLoopBoundBox<RedisConsumerCore>
    let server: RedisAccess

    /// Sends a command; says whether that was done more than once, so that the server may have carried it out before.
    ///
    /// - Parameter isUrgent: Whether a server whose memory is full is waited for.
    func write(
        _ command: RedisCommand, isUrgent: Bool = true
    ) async throws -> (reply: RESPValue, isRepeated: Bool) {
        let (answer, isRepeated) = try await send(command, isUrgent: isUrgent)
        return (try answer.mapError { BrokerError($0) }.get(), isRepeated)
    }

    /// A server that closes the connection upon so large a command, again and again, takes none of its size: it may have been
    /// unable to say so.
    private static let large = 1 << 20
    private static let mostClosed = 5

    /// Sends a command until it is answered, or refused for a reason that waiting does not mend; or, where it is not repeatable,
    /// until its answer is lost.
    private func send(
        _ command: RedisCommand, isUrgent: Bool = true, isRepeatable: Bool = true
    ) async throws -> (answer: Result<RESPValue, RedisError>, isRepeated: Bool) {
        var refusal: RedisError.Code?
        var isRepeated = false
        var closed = 0
        while true {
            if let obstacle = await core.run({ $0.obstacle() }) { throw obstacle }
            do throws(RedisError) {
                return (.success(try await server.client.sendWhatever(command)), isRepeated)
            } catch {
                guard error.isRetryable, isUrgent || error.code != .outOfMemory, isRepeatable || !error.losesAnswer
                else {
                    return (.failure(error), isRepeated)
                }
                closed = error.code == .closed && command.size >= Self.large ? closed + 1 : 0
                if closed == Self.mostClosed { return (.failure(.tooLarge(command, error)), isRepeated) }
                if error.isOfServer, refusal != error.code {
                    server.logger.error("the server refuses; trying again", metadata: ["error": "\(error)"])
                }
                refusal = error.code
                isRepeated = true
                try await server.executor.sleep(for: .milliseconds(100))
            }
        }
    }

    func settle(_ settlements: [Settlement]) async throws -> [Receipt] {
        var receipts = [Receipt](repeating: .settled, count: settlements.count)
        var open = Array(settlements.indices)
        /// How many of them go one by one: what refuses them together may be meant for one alone.
        var single = 0
        var isRepeated = false
        /// Whether the server has said that its memory is full.
        var isFull = false
        while !open.isEmpty {
            let portion = single > 0 ? 1 : open.count
            let batch = try await command(
                for: portion == settlements.count ? settlements : open.prefix(portion).map { settlements[$0] },
                isFull: isFull)
            if single > 0 { single -= 1 }
            let returns =
                batch.isPlain ? [] : Set(open.prefix(batch.count).filter { settlements[$0].mayComeAgain })
            let written = try await send(batch.command, isRepeatable: returns.isEmpty)
            if case .success(let reply) = written.answer, batch.count == settlements.count,
                batch.isWritten(by: reply.array ?? [])
            {
                await core.run { $0.machine.settled(settlements) }
                return receipts
            }
            isRepeated = isRepeated || written.isRepeated
            let answers: [SettleCommand.Answer]
            switch written.answer {
            case .success(let reply): answers = batch.answers(in: reply.array ?? [])
            case .failure(let error) where error.isOfCommand:
                answers = Array(repeating: batch.count == 1 ? .failed(error) : .untried, count: batch.count)
                if batch.count > 1 { single = batch.count }
            case .failure(let error) where error.losesAnswer:
                // Whether it was done is seen by whether they are still in their lists.
                let lost = returns.map { settlements[$0].delivery }
                let others = open.prefix(batch.count).filter { !returns.contains($0) }.map { settlements[$0].delivery }
                await core.run { core in
                    core.machine.settled([], stillHeld: others)
                    core.handle(.returnsLost(lost))
                }
                isRepeated = true
                for index in returns { receipts[index] = .uncertain }
                open.removeAll(where: returns.contains)
                continue
            case .failure(let error): throw BrokerError(error)
            }
            let asked = open.prefix(answers.count)
            open.removeFirst(answers.count)
            var again: [Int] = []
            var gone: [Delivery] = []
            var stillHeld: [Delivery] = []
            var trouble: RedisError?
            var isNews = false
            for (index, answer) in zip(asked, answers) {
                let delivery = settlements[index].delivery
                switch answer {
                case .written(let said):
                    gone.append(delivery)
                    if !said.isEmpty { receipts[index].answers = said }
                case .fenced:
                    gone.append(delivery)
                    receipts[index] = isRepeated ? .uncertain : .fenced
                case .withheld(let said):
                    receipts[index] = Receipt(.withheld, answers: said)
                case .untried:
                    again.append(index)
                case .failed(let error) where error.code == .outOfMemory && !isFull:
                    isNews = true
                    again.append(index)
                case .failed(let error) where error.isRetryable && error.code != .outOfMemory:
                    trouble = error
                    again.append(index)
                case .failed(let error):
                    await look(into: error)
                    receipts[index] = Receipt(
                        .refused(because: BrokerError(error).message, isForGood: error.code == .tooLarge))
                }
                if answer.leavesMessage { stillHeld.append(delivery) }
            }
            let (left, kept) = (gone, stillHeld)
            await core.run { $0.machine.settled(left, stillHeld: kept) }
            if trouble != nil { try await server.executor.sleep(for: .milliseconds(200)) }
            open = again + open
            isFull = isFull || isNews
        }
        return receipts
    }

    /// What is in the way of a retry, say, is put aside before the next try.
    private func look(into error: RedisError) async {
        guard error.code == .wrongType || error.code == .noPermission else { return }
        let subscription = await core.run { $0.subscription }
        guard error.code == .wrongType else {
            return server.look(into: error, of: subscription.queues, by: subscription.node)
        }
        try? await server.putAsideAtOnce(of: subscription.queues, worker: subscription.node, because: error)
    }

    /// Gives back what nobody wants. What the server refuses to take back is tried again for as long as the lease holds, and
    /// goes back with the identity at last.
    func handBack(_ deliveries: [Delivery]) async throws {
        var open = deliveries
        while !open.isEmpty {
            let receipts = try await settle(open.map(Settlement.handingBack))
            open = zip(open, receipts).compactMap { delivery, receipt in
                guard case .refused(let reason, _) = receipt.end else { return nil }
                server.logger.debug("a message cannot be handed back", metadata: ["error": "\(reason)"])
                return delivery
            }
            if !open.isEmpty { try await server.executor.sleep(for: .seconds(2)) }
        }
    }

    private func command(for settlements: [Settlement], isFull: Bool) async throws -> SettleCommand {
        try await core.run { core -> Result<SettleCommand, BrokerError> in
            if let obstacle = core.obstacle() { return .failure(obstacle) }
            return .success(
                SettleCommand(
                    settlements, identity: core.identity, server: core.server,
                    now: Date().timeIntervalSince1970 + core.view.clockOffset, isFull: isFull,
                    taking: { core.machine.takeOut($0, asCut: $1) }))
        }.get()
    }
}

extension RedisError {
    /// Whether the server may have done what it was told all the same.
    fileprivate var losesAnswer: Bool { isRetryable && !isOfServer }

    /// The server closes the connection on a command of this size, without saying why.
    fileprivate static func tooLarge(_ command: RedisCommand, _ cause: RedisError) -> RedisError {
        RedisError(
            code: .tooLarge,
            message: "the server closes the connection on \(command.size) bytes, more than it seems to take",
            command: command.name, key: command.key, underlying: cause)
    }
}

extension Settlement {
    /// Whether it brings the same message, byte for byte, to where it may be claimed from again. Were such a one written a
    /// second time, since its answer was lost, it could take away a message that was claimed in between, and runs.
    fileprivate var mayComeAgain: Bool {
        guard effects.hasOthers else { return false }
        return effects.contains { effect in
            switch effect {
            case .putBack: true
            case .push(let message): message.payload == delivery.payload
            case .store, .bury, .open, .grow, .join, .record: false
            }
        }
    }
}
