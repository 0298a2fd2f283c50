// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// By how much the server's clock is ahead of this machine's.
enum ClockOffset {
    /// Judges a time that the server told at some moment between `asked` and `answered`; all in seconds since 1970.
    ///
    /// A time between the two says nothing against clocks that agree: a slow answer must not look like a wrong clock, or
    /// what the server finds due would seem too early here.
    static func between(_ asked: Double, _ server: Double, _ answered: Double) -> Double {
        asked <= server && server <= answered ? 0 : server - (asked + answered) / 2
    }
}
