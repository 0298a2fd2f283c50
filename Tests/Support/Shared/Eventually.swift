// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Waits until a condition holds, and throws with its name if it does not in time.
func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw InVain(description: "waited \(limit) in vain until \(what)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// What a test waited for did not come.
struct InVain: Error, CustomStringConvertible {
    let description: String
}
