// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import NIOCore

/// Moves one queue's scheduled messages to the queue when they are due: by a timer set to the next due time, not by
/// looking again and again. Lives on the event loop; any number of processes may do the same at once.
final class Promoter {
    let queue: String
    private let broker: RedisBroker
    private var timer: Scheduled<Void>?
    private var isAsking = false
    private var isAskedAgain = false
    private var isClosed = false

    /// A batch is small enough to keep the server for a millisecond.
    private static let batch = 200

    init(queue: String, broker: RedisBroker) {
        self.queue = queue
        self.broker = broker
    }

    /// Moves what is due, and sets the timer for what is next.
    func promote() {
        guard !isClosed else { return }
        guard !isAsking else {
            isAskedAgain = true
            return
        }
        isAsking = true
        timer?.cancel()
        let keys = broker.keys
        let command = RedisScript.promote.command(
            keys: [keys.scheduled(queue), keys.scheduledMessages(queue)] + keys.waiting(allOf: queue), Self.batch)
        broker.client.submit([command]).assumeIsolated().whenComplete { result in
            self.isAsking = false
            let answer = (try? result.get()[0])?.array
            let moved = answer?.first?.integer ?? 0
            // What cannot be asked now is asked again in a second.
            let wait = answer == nil ? 1_000_000 : answer?.last?.integer ?? -1
            if moved == Self.batch || self.isAskedAgain {
                self.isAskedAgain = false
                self.promote()
            } else if wait >= 0 {
                self.timer = self.broker.client.eventLoop.assumeIsolated().scheduleTask(
                    in: .microseconds(Int64(wait))
                ) { self.promote() }
            }
        }
    }

    func close() {
        isClosed = true
        timer?.cancel()
    }
}
