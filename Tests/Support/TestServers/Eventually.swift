// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Something that a test needs could not be had.
public struct TestServerError: Error, CustomStringConvertible {
    /// What was wanted and did not come.
    public let description: String

    /// An error with this text.
    public init(_ description: String) {
        self.description = description
    }
}

/// Waits until a condition holds, and throws with its name if it does not in time and several looks: where the whole machine
/// stood still, time alone says nothing.
public func eventually(
    _ what: String, within limit: Duration = .seconds(20), _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    var looks = 0
    while try await !condition() {
        looks += 1
        guard ContinuousClock.now < deadline || looks < 20 else {
            throw TestServerError("waited \(limit) in vain until \(what)")
        }
        try await Task.sleep(for: .milliseconds(3))
    }
}
