// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The arguments of one call of a task: `.init(2, 3)`.
public struct Call<each Argument: Codable & Sendable>: Sendable {
    /// The arguments, in the order of the body's parameters.
    public let arguments: (repeat each Argument)

    /// A call with these arguments.
    public init(_ arguments: repeat each Argument) {
        self.arguments = (repeat each arguments)
    }
}

extension Call: Equatable where repeat each Argument: Equatable {
    /// Whether all arguments are equal, each by its own `==`.
    public static func == (left: Call, right: Call) -> Bool {
        for (one, other) in repeat (each left.arguments, each right.arguments) {
            guard one == other else { return false }
        }
        return true
    }
}

extension Call: CustomStringConvertible {
    /// The arguments, as a failed expectation shows them: `(2, "a")`.
    public var description: String {
        var texts: [String] = []
        for argument in repeat each arguments { texts.append(String(reflecting: argument)) }
        return "(" + texts.joined(separator: ", ") + ")"
    }
}
