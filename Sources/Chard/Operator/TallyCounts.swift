// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How attempts ended within some time: of how many with each end.
package struct TallyCounts: Sendable, Hashable {
    /// Those that ended as they should.
    package private(set) var succeeded = 0
    /// Those that ended their task with an error.
    package private(set) var failed = 0
    /// Those after which another one follows.
    package private(set) var retried = 0
    /// Those whose worker was lost.
    package private(set) var lost = 0
    /// Those that were called off, had expired or were ended by force.
    package private(set) var revoked = 0

    /// How many tasks were over.
    package var over: Int { succeeded + failed + revoked }

    package mutating func add(_ end: Attempt.End) {
        switch end {
        case .failure, .rejected: failed += 1
        case .retry: retried += 1
        case .lost: lost += 1
        case .revoked: revoked += 1
        case .requeued, .handedBack: break
        default: succeeded += 1
        }
    }

    package mutating func add(_ other: TallyCounts) {
        succeeded += other.succeeded
        failed += other.failed
        retried += other.retried
        lost += other.lost
        revoked += other.revoked
    }
}
