// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The headers that brokers, workers and operators set on a message on its way, whoever has sent it: no signature covers them.
enum HeaderOnTheWay {
    /// It was revoked while it waited for its time; a worker is to tell what waits for it.
    static let revoked = "chard_revoked"
    /// Steps of its body are kept.
    static let steps = "chard_steps"
    /// It has waited for its task's rate limit.
    static let rateLimited = "chard_rate_limited"

    static let all: Set = [
        revoked, steps, rateLimited, MessageSignature.header, LossSeal.header, LossSeal.lostHeader,
        LossSeal.lostByHeader,
    ]
}
