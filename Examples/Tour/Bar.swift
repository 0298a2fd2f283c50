// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A bar that grows.
enum Bar {
    static func draw(_ done: Int, of total: Int, _ what: String, _ tell: Narrator) {
        let bar = String(repeating: "█", count: done) + String(repeating: "░", count: max(0, total - done))
        tell.live("\(bar)  \(what) \(done) of \(total)")
    }
}
