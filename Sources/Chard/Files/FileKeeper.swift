// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Removes the files of tasks that are done.
///
/// A file is done with as soon as a step has been written that takes away the message which names it, and leaves nothing behind that
/// does: no message, no dead letter, no result. So this needs no knowledge of outcomes, and nothing of it is kept in the broker. Who
/// is killed right behind the step leaves the file: see ``FolderStore/removeFiles(olderThan:)``.
final class FileKeeper: Sendable {
    private let store: any FileStore
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var last = 0
        var open: [Int: Task<Void, Never>] = [:]
    }

    init(_ store: any FileStore, logger: Logger = Logger(label: "chard.files")) {
        self.store = store
        self.logger = logger
    }

    /// Removes, beside what goes on, the files that a step has left without a name. Statuses that are kept elsewhere than in the
    /// broker are given apart.
    func settled(_ settlement: Settlement, _ statuses: [StatusRecord] = []) {
        let keys = Self.abandoned(by: settlement, statuses)
        if !keys.isEmpty { remove(keys) }
    }

    /// Removes the files of a message that was dropped.
    func dropped(_ payload: [UInt8]) { remove(Self.keys(inMessage: payload)) }

    /// Waits for what is being removed.
    func finish() async {
        for task in state.withLock({ Array($0.open.values) }) { await task.value }
    }

    private func remove(_ keys: Set<String>) {
        state.withLock { state in
            state.last += 1
            let number = state.last
            state.open[number] = Task {
                for key in keys.sorted() { await remove(key) }
                ended(number)
            }
        }
    }

    private func ended(_ number: Int) { state.withLock { $0.open[number] = nil } }

    private func remove(_ key: String) async {
        for attempt in 1...3 {
            do {
                try await store.remove(key)
                return
            } catch {
                guard attempt == 3 else {
                    try? await Task.sleep(for: .seconds(1))
                    continue
                }
                logger.warning(
                    "the file of a task that is done could not be removed",
                    metadata: ["key": "\(key)", "store": "\(store.location)", LogKey.error: "\(error)"])
            }
        }
    }

    static func abandoned(by settlement: Settlement, _ statuses: [StatusRecord]) -> Set<String> {
        var keys = keys(inMessage: settlement.delivery.payload)
        if keys.isEmpty { return keys }
        for status in statuses { keys.subtract(StoredFile.keys(in: status.json)) }
        for effect in settlement.effects {
            switch effect {
            case .putBack, .bury: return []
            case .push(let message): keys.subtract(Self.keys(inMessage: message.payload))
            case .store(let status): keys.subtract(StoredFile.keys(in: status.json))
            case .join(let part): keys.subtract(StoredFile.keys(in: part.end))
            case .record(let change): keys.subtract(StoredFile.keys(in: change.value ?? []))
            case .open, .grow: break
            }
        }
        return keys
    }

    /// The files that a message names: for its own task, and for those that are to follow it. Not those of its chord's body, which
    /// all members carry: they are the body's, and go when that is done.
    private static func keys(inMessage payload: [UInt8]) -> Set<String> {
        guard let message = try? TaskMessage(decoding: payload, limits: .held),
            let body = try? message.decodeBody(limits: .held)
        else { return [] }
        var keys: Set<String> = []
        for text in body.positional { keys.formUnion(StoredFile.keys(in: text)) }
        for keyword in body.keywords { keys.formUnion(StoredFile.keys(in: keyword.value)) }
        let embed = body.embed
        for text in embed.callbacks + embed.errbacks + embed.chain { keys.formUnion(StoredFile.keys(in: text)) }
        return keys
    }
}
