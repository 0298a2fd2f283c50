// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The name of a task's parameter, by which keyword arguments bind, and its default value.
///
/// Write parameters as an array, in the order of the body's arguments:
/// `["x", .init("y", default: 3)]`. A task without them takes positional arguments only.
public struct Parameter: Sendable, Hashable, ExpressibleByStringLiteral {
    /// The keyword.
    public let name: String
    /// The default as JSON text; `nil` where there is none. An `Optional` argument needs none: absent, it is `nil`.
    let defaultValue: Result<[UInt8], DefaultProblem>?

    /// Names a parameter without default.
    public init(_ name: String) {
        self.name = name
        defaultValue = nil
    }

    /// Names a parameter without default.
    public init(stringLiteral name: String) {
        self.init(name)
    }

    /// Names a parameter that may be left out.
    ///
    /// The value is encoded at once; one that does not encode, or does not decode as the argument's type, is a
    /// problem of registration, told when the app starts.
    public init(_ name: String, default value: some Encodable) {
        self.name = name
        do {
            defaultValue = .success(try JSON.encode(value))
        } catch {
            defaultValue = .failure(DefaultProblem(description: error.wording))
        }
    }

    struct DefaultProblem: Error, Hashable, CustomStringConvertible {
        let description: String
    }
}
