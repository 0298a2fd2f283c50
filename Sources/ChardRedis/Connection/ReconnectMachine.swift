// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// When a lost connection is opened anew: a wait that doubles, drawn at random so that a restarted server does not
/// meet all its clients in the same moment.
struct ReconnectMachine {
    enum Phase: Equatable {
        case idle
        case opening
        case connected(since: NIODeadline)
        case waiting
        case closed
    }

    private(set) var phase = Phase.idle
    /// How often a connection was opened.
    private(set) var generation = 0
    private let delays: ClosedRange<TimeAmount>
    private var failures = 0

    init(delays: ClosedRange<TimeAmount>) {
        self.delays = delays
    }

    /// Somebody needs the connection; true if it is to be opened now.
    mutating func start() -> Bool {
        guard phase == .idle else { return false }
        phase = .opening
        return true
    }

    /// The wait is over; true if the connection is to be opened now.
    mutating func waited() -> Bool {
        guard phase == .waiting else { return false }
        phase = .opening
        return true
    }

    /// Somebody else has opened a connection; true if it is to be used, since none is open or being opened. It counts as being opened
    /// until ``opened(now:)``.
    mutating func offered() -> Bool {
        guard phase == .idle || phase == .waiting else { return false }
        phase = .opening
        return true
    }

    /// The connection is open; false if nobody wants it any more.
    mutating func opened(now: NIODeadline) -> Bool {
        guard phase == .opening else { return false }
        phase = .connected(since: now)
        generation += 1
        return true
    }

    /// The connection ended or could not be opened: how long to wait before the next attempt, nil if there is none.
    ///
    /// - Parameter draw: Where in its range the wait falls, from 0 to 1.
    mutating func failed(now: NIODeadline, draw: Double) -> TimeAmount? {
        switch phase {
        case .opening:
            break
        case .connected(let since):
            // One that was lost at once counts as a failed attempt, or a server that hangs up would be called in a loop.
            if now - since >= delays.upperBound { failures = 0 }
        case .idle, .waiting, .closed:
            return nil
        }
        phase = .waiting
        let bound = failures < 30 ? min(delays.lowerBound * (1 << failures), delays.upperBound) : delays.upperBound
        failures += 1
        return .nanoseconds(Int64(Double(bound.nanoseconds) * draw))
    }

    /// No more connections; false if that was so already.
    mutating func close() -> Bool {
        guard phase != .closed else { return false }
        phase = .closed
        return true
    }
}
