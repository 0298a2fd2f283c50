// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What is due at which beat of a consumer's pulse, once a second. A value that is told what happens.
struct Pulse: Sendable {
    struct Due: Sendable, Hashable {
        /// The lease, with all that one wants to know each second.
        var renewal = false
        var promotion = false
        var lost = false
    }

    private let promotion: Int
    private let recovery: Int
    private var beats = 0
    private var isRenewing = false
    /// Since when the connection stands over which the pops' were opened, too.
    private var connectedSince: ContinuousClock.Instant?

    init(_ settings: RedisSettings) {
        func beats(_ duration: Duration) -> Int { max(1, Int(duration / .seconds(1))) }
        promotion = beats(settings.heartbeat) * 10
        recovery = beats(settings.recovery)
    }

    mutating func beat() -> Due {
        defer { beats += 1 }
        var due = Due(promotion: beats % promotion == 0, lost: beats % recovery == 0)
        if !isRenewing {
            isRenewing = true
            due.renewal = true
        }
        return due
    }

    /// A renewal was answered, or failed.
    mutating func renewalEnded() {
        isRenewing = false
    }

    /// Whether the client has had to connect again: the pops' connections, which are silent for longer, have probably ended
    /// with its own.
    mutating func hasReconnected(_ since: ContinuousClock.Instant?) -> Bool {
        guard let since, since != connectedSince else { return false }
        defer { connectedSince = since }
        return connectedSince != nil
    }
}

/// What a renewal of the lease was answered.
struct Renewal: Sendable {
    /// When it was sent; `nil` where the lease was not renewed, and only the rest asked for.
    var sentAt: ContinuousClock.Instant?
    /// The number of the present orders.
    var orders: Int
    /// Whether this process is the one that moves what is due, and looks for lost ones, on behalf of all.
    var isOnDuty: Bool
    /// The waiting lists that are there, of those that were asked about, as indices of their pops.
    var used: [Int]
}
