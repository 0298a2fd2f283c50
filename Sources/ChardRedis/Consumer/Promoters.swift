// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import NIOCore

/// Moves what is due of all queues that anybody serves: the work of the one process that is on duty, since it costs the same
/// whoever does it. Lives on the event loop.
final class Promoters {
    private let server: RedisAccess
    private let queues: [String]
    private let node: String
    private var promoters: [String: Promoter] = [:]
    private var isOnDuty = false
    private var subscription: LastingSubscription?
    private var notedAt: ContinuousClock.Instant?

    /// - Parameter queues: Those of this process, whatever the others serve.
    init(_ server: RedisAccess, queues: [String], node: String) {
        self.server = server
        self.queues = queues
        self.node = node
    }

    /// Goes on duty.
    func begin() {
        guard !isOnDuty else { return }
        isOnDuty = true
        let box = NIOLoopBound(self, eventLoop: server.client.eventLoop)
        subscription = server.listen(to: server.keys.due) { queue in
            box.value.promoter(of: String(decoding: queue, as: UTF8.self))?.promote()
        } whenSubscribed: {
            // What was told before the server listened for us.
            box.value.promoteAll()
        }
    }

    /// Goes off duty.
    func end() {
        isOnDuty = false
        subscription = nil
        for promoter in promoters.values { promoter.close() }
        promoters = [:]
    }

    private func promoter(of queue: String) -> Promoter? {
        guard isOnDuty else { return nil }
        let promoter = promoters[queue] ?? Promoter(queue: queue, server: server, node: node)
        promoters[queue] = promoter
        return promoter
    }

    /// Looks at every queue that somebody serves, and moves what is due of those that have anything delayed.
    func promoteAll() {
        guard isOnDuty else { return }
        // The second for its type alone: who sends adds to that key now and then.
        let looks = [RedisCommand("HGETALL", server.keys.holders), RedisCommand("ZCARD", server.keys.queues)]
        server.client.submit(looks).assumeIsolated().whenComplete { result in
            guard let replies = try? result.get() else { return }
            let reply = replies[0]
            if let error = replies.lazy.compactMap(\.error).first {
                self.server.look(into: error, of: [], by: self.node)
            }
            let all = Holder.read(reply).reduce(into: Set(self.queues)) { $0.formUnion($1.queues) }
            self.promote(all.sorted())
            self.noteUse(of: all)
        }
    }

    private func promote(_ queues: [String]) {
        let keys = server.keys
        let size = 1 + keys.steps.count
        let most = (ScriptCall.most - 2) / size
        for start in stride(from: 0, to: queues.count, by: most) {
            let portion = queues[start..<min(start + most, queues.count)]
            let command = RedisScript.occupied.command(
                keys: portion.flatMap { [keys.delayed($0)] + keys.ripe(allOf: $0) }, size)
            server.client.submit([command]).assumeIsolated().whenComplete { result in
                for place in (try? result.get()[0])?.array ?? [] {
                    if let place = place.integer {
                        self.promoter(of: portion[portion.startIndex + place])?.promoteAll()
                    }
                }
            }
        }
    }

    /// Notes once an hour that these queues are in use, so that they stay known, and forgets the others.
    private func noteUse(of queues: Set<String>) {
        let now = ContinuousClock.now
        if let notedAt, now - notedAt < .seconds(3_600) { return }
        notedAt = now
        let names = Array(queues)
        let commands = stride(from: 0, to: names.count, by: 400).map { start in
            var command = RedisCommand("ZADD", server.keys.queues)
            for name in names[start..<min(start + 400, names.count)] {
                command.append(Date().timeIntervalSince1970)
                command.append(name)
            }
            return command
        }
        _ = server.client.submit(commands)
        forgetUnused()
    }

    private func forgetUnused() {
        let keys = server.keys
        let start = Date().timeIntervalSince1970 - RedisAccess.listed
        let question = RedisCommand("ZRANGE", keys.queues, "-inf", start, "BYSCORE")
        server.client.submit([question]).assumeIsolated().whenComplete { result in
            let names = ((try? result.get()[0])?.array ?? []).compactMap(\.text)
            guard !names.isEmpty else { return }
            _ = self.server.client.submit(
                names.map {
                    RedisScript.forgetQueue.command(keys: [keys.queues] + keys.contents(of: $0), $0, start)
                })
        }
    }
}
