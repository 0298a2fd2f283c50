// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import NIOCore
import Synchronization

/// The note about what was put aside, as the hash has it.
struct AsideNote: Codable {
    var place: String
    var expected: String
    var reason: String
    var worker: String
    var at: Double
}

extension RedisAccess {
    /// Does something about what a worker was refused: puts aside what stands in the place of something else, or says which
    /// rights are missing.
    ///
    /// - Parameters:
    ///   - queues: Queues that the caller serves: what is under the name of another is nobody's business here.
    ///   - worker: Who looks.
    func look(into error: RedisError, of queues: some Sequence<String>, by worker: String) {
        guard error.code == .wrongType || error.code == .noPermission else { return }
        let queues = Array(queues)
        let isOfType = error.code == .wrongType
        // What goes on and on is looked into now and then.
        let about = "\(error.code) \(queues.first ?? "")"
        guard isDue(about, every: isOfType ? .seconds(5) : .milliseconds(250)) else { return }
        guard isOfType else { return tellMissingRights(to: queues, worker) }
        for (keys, command) in asideCommands(of: queues, worker, error) {
            client.submit([command]).whenComplete { result in
                guard let reply = try? result.get()[0] else { return }
                self.tellAside(reply, keys, error)
            }
        }
    }

    /// Of what a script may not do, a server says only that it may not: so all is tried, as at a worker's start.
    private func tellMissingRights(to queues: [String], _ worker: String) {
        let rights = WorkerRights(queues, identity: worker, keys)
        let trials = rights.commands
        client.submit(trials + rights.commandsForKeys).whenComplete { result in
            guard let replies = try? result.get() else { return }
            var missing = rights.missing(in: Array(replies.prefix(trials.count)))
            if missing.hasKeys {
                missing.rules.formUnion(rights.missingKeys(in: Array(replies.dropFirst(trials.count))))
            }
            guard let error = missing.error(self.url.peer), self.isDue(error.message, every: .seconds(30)) else {
                return
            }
            self.logger.error("\(error.message)")
        }
    }

    private func isDue(_ about: String, every interval: Duration) -> Bool {
        looks.withLock { due in
            let now = ContinuousClock.now
            if let next = due[about], now < next { return false }
            if due.count > 1_000 { due = [:] }
            due[about] = now + interval
            return true
        }
    }

    /// Puts aside what stands in the place of something else, and waits until that is done.
    func putAsideAtOnce(of queues: [String], worker: String, because error: RedisError) async throws(RedisError) {
        for (keys, command) in asideCommands(of: queues, worker, error) {
            tellAside(try await client.pipeline([command])[0], keys, error)
        }
    }

    private func asideCommands(
        of queues: some Sequence<String>, _ worker: String, _ error: RedisError
    ) -> [(keys: [TypedKey], command: RedisCommand)] {
        let all = keys.typed + queues.flatMap(keys.typed(of:))
        let most = (ScriptCall.most - 1) / 5
        let now = Date().timeIntervalSince1970
        return stride(from: 0, to: all.count, by: most).map { start in
            let portion = Array(all[start..<min(start + most, all.count)])
            let names = portion.map { _ in String(TaskID.random().prefix(8)) }
            var call = ScriptCall(.putAside)
            call.append(key: keys.aside)
            for (typed, name) in zip(portion, names) {
                call.append(key: typed.key)
                call.append(key: keys.aside(name))
                call.append(typed.type)
                call.append(name)
                let note = AsideNote(
                    place: typed.key, expected: typed.type, reason: error.description, worker: worker, at: now)
                call.append((try? JSON.encode(note)) ?? Array("{}".utf8))
            }
            return (portion, call.command)
        }
    }

    private func tellAside(_ reply: RESPValue, _ keys: [TypedKey], _ error: RedisError) {
        if let error = reply.error {
            return logger.error(
                "what is in the way of tasks cannot be put aside", metadata: [LogKey.error: "\(error)"])
        }
        for place in (reply.array ?? []).compactMap(\.integer) where keys.indices ~= place {
            logger.error(
                "a key that held something else was put aside; 'aside list' shows it",
                metadata: [
                    "key": "\(keys[place].key)", "expected": "\(keys[place].type)", LogKey.error: "\(error)",
                ])
        }
    }
}
