// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension Worker: ControlledWorker {
    /// How many tasks it runs at once.
    public var concurrency: Int { sessions.concurrency }

    /// Runs so many tasks at once from soon on: Celery's `pool_grow` and `pool_shrink`. What runs goes on to its end.
    /// - Throws: ``AppError`` where it is less than one.
    public func setConcurrency(_ concurrency: Int) throws(AppError) {
        guard concurrency >= 1 else {
            throw AppError("worker \(node): the concurrency is \(concurrency); it must be at least 1")
        }
        sessions.resize(to: concurrency)
    }

    var held: [HeldTask] {
        let (running, waiting) = sessions.held
        return running.map { HeldTask($0.delivery, since: $0.info.since) } + waiting.map { HeldTask($0) }
    }

    func terminate(_ ids: Set<String>) {
        sessions.terminate(ids)
    }

    var sendsEventsFromStart: Bool { options.sendsEvents }

    func sendEvents(_ isOn: Bool) -> Bool? {
        guard let sender = events.withLock({ $0 }) else { return nil }
        return isOn ? sender.turnOn() : sender.turnOff()
    }

    func sendHeartbeat() async {
        let sender = events.withLock { $0 }
        await sender?.tellWorker("worker-heartbeat", every: 5)
        sender?.wake()
    }

    func shutDown() {
        options.onShutdown?()
        stop(.gracefully)
    }
}
