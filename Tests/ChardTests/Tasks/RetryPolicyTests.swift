// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

@Suite("The arithmetic of retries")
struct RetryPolicyTests {
    @Test("without jitter each delay is the bound itself, up to the maximum")
    func bounds() {
        let policy = RetryPolicy.exponential(
            maxRetries: 9, initialDelay: .seconds(2), maximumDelay: .seconds(60), factor: 3, jitter: false)
        let delays = (0...5).map { policy.delay(afterRetries: $0, random: 0.1) }
        #expect(delays == [.seconds(2), .seconds(6), .seconds(18), .seconds(54), .seconds(60), .seconds(60)])
    }

    @Test("jitter draws evenly below the bound")
    func jitter() {
        let policy = RetryPolicy.exponential(maxRetries: 9, initialDelay: .seconds(8), maximumDelay: .seconds(20))
        #expect(policy.delay(afterRetries: 0, random: 0) == .zero)
        #expect(policy.delay(afterRetries: 0, random: 0.5) == .seconds(4))
        #expect(policy.delay(afterRetries: 1, random: 0.25) == .seconds(4))
        #expect(policy.delay(afterRetries: 7, random: 0.75) == .seconds(15))
        #expect(policy.delay(afterRetries: 7, random: 0.999) < .seconds(20))
    }

    @Test("the ready-made policies")
    func readyMade() {
        #expect(RetryPolicy.whenAsked.maxRetries == 3)
        #expect(RetryPolicy.whenAsked.delay(afterRetries: 2, random: 0.3) == .seconds(180))
        #expect(!RetryPolicy.whenAsked.onAnyError)
        #expect(RetryPolicy.never.maxRetries == 0)
        #expect(RetryPolicy.never.delay(afterRetries: 5, random: 0.3) == .zero)
        let constant = RetryPolicy.constant(maxRetries: 2, delay: .milliseconds(300))
        #expect((0...3).allSatisfy { constant.delay(afterRetries: $0, random: 0.2) == .milliseconds(300) })
        let usual = RetryPolicy.exponential(maxRetries: 1)
        #expect(usual.delay(afterRetries: 20, random: 0.5) == .seconds(300))
        for policy in [RetryPolicy.whenAsked, .never, constant, usual] { #expect(policy.problem == nil) }
    }

    static let extremes: [RetryPolicy] = [
        .exponential(maxRetries: .max, jitter: false),
        .exponential(maxRetries: .max, factor: 1, jitter: false),
        .exponential(maxRetries: .max, factor: 1 + .ulpOfOne, jitter: false),
        .exponential(maxRetries: .max, factor: .greatestFiniteMagnitude, jitter: false),
        .exponential(maxRetries: .max, factor: .infinity, jitter: false),
        .exponential(maxRetries: .max, initialDelay: .zero, jitter: false),
        .exponential(maxRetries: .max, initialDelay: .zero, factor: .infinity, jitter: false),
        .exponential(maxRetries: .max, maximumDelay: .seconds(1e12), factor: 7, jitter: false),
        .whenAsked, .never,
    ]

    @Test("no number of retries is too many", .timeLimit(.minutes(1)), arguments: extremes)
    func manyRetries(_ policy: RetryPolicy) {
        for retries in [Int.min, -1, 0, 1, 63, 64, 100_000, .max - 1, .max] {
            let delay = policy.delay(afterRetries: retries, random: 0.5)
            #expect(delay >= policy.initialDelay && delay <= policy.maximumDelay, "\(retries)")
        }
        #expect(policy.delay(afterRetries: -1, random: 0.5) == policy.delay(afterRetries: 0, random: 0.5))
    }

    @Test("nothing grows from a first delay of zero")
    func zero() {
        let policy = RetryPolicy.exponential(maxRetries: 9, initialDelay: .zero, factor: .infinity, jitter: false)
        #expect(policy.delay(afterRetries: 9, random: 0.5) == .zero)
    }

    @Test("a policy travels in a header and comes back", arguments: extremes.filter { $0.maximumDelay < .seconds(1e9) })
    func header(_ policy: RetryPolicy) throws {
        var message = TaskMessage(task: "t", body: MessageBody(), queue: "q")
        message.headers[RetryPolicy.header] = try JSON(encoding: policy)
        let read = try TaskMessage(decoding: message.encoded())
        #expect(read.retryPolicy == policy)
    }

    @Test("the header's form")
    func form() throws {
        let policy = RetryPolicy.exponential(maxRetries: 5, initialDelay: .milliseconds(250))
        #expect(
            try JSON(encoding: policy) == [
                "max": 5, "initial": 0.25, "maximum": 600.0, "factor": 2.0, "jitter": true, "any": true,
            ])
    }

    static let base: JSON = [
        "max": 5, "initial": 1, "maximum": 600, "factor": 2, "jitter": true, "any": true,
    ]

    static let hostile: [(String, JSON?)] = [
        ("max", -1), ("max", "5"), ("max", nil), ("initial", -1), ("initial", 1e300), ("initial", .number(.nan)),
        ("initial", 601), ("maximum", .number(.infinity)), ("maximum", 1e30), ("maximum", .number(-.infinity)),
        ("factor", 0.5), ("factor", .number(.nan)), ("jitter", 1), ("any", nil),
    ]

    @Test("a header that makes no sense counts as absent", arguments: hostile)
    func corruptHeader(_ member: String, _ value: JSON?) throws {
        var message = TaskMessage(task: "t", body: MessageBody(), queue: "q")
        var policy = Self.base
        message.headers[RetryPolicy.header] = policy
        #expect(message.retryPolicy != nil)
        policy[member] = value
        message.headers[RetryPolicy.header] = policy
        #expect(message.retryPolicy == nil)
    }
}
