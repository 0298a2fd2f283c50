// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What a run's body returned, as it is stored.
public struct RunResult: Sendable, Hashable, CustomStringConvertible {
    /// The result's JSON text.
    public let json: [UInt8]

    /// The JSON text.
    public var description: String { String(decoding: json, as: UTF8.self) }

    /// A result in place of the body's, for middleware that knows it without a run.
    /// - Throws: `EncodingError` where the value cannot be written.
    public init(_ value: some Encodable) throws {
        json = try JSON.encode(value)
    }

    init(json: [UInt8]) {
        self.json = json
    }

    /// The result as a value.
    /// - Throws: `DecodingError` where it is of another type.
    public func value<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSON.decode(type, from: json[...], limits: .held)
    }
}
