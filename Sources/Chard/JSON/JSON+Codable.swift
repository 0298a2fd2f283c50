// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension JSON: Codable {
    /// Reads any value from any decoder; with Chard's own this costs nothing.
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? TreeDecoder {
            self = decoder.value
            return
        }
        if let container = try? decoder.container(keyedBy: PlaceKey.self) {
            var members: [String: JSON] = [:]
            for key in container.allKeys { members[key.stringValue] = try container.decode(JSON.self, forKey: key) }
            self = .object(members)
            return
        }
        if var container = try? decoder.unkeyedContainer() {
            var elements: [JSON] = []
            while !container.isAtEnd { elements.append(try container.decode(JSON.self)) }
            self = .array(elements)
            return
        }
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Int128.self) {
            self = .bigInteger(value.description)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else {
            self = .string(try container.decode(String.self))
        }
    }

    /// Writes this value to any encoder; with Chard's own this costs nothing.
    ///
    /// Other encoders get an integer beyond 128 bits as a `Double`, and U+FFFD for unpaired surrogates.
    public func encode(to encoder: any Encoder) throws {
        if encoder is TreeEncoder {
            var container = encoder.singleValueContainer()
            try container.encode(self)
            return
        }
        switch self {
        case .array(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .object(let members):
            var container = encoder.container(keyedBy: PlaceKey.self)
            for (name, member) in members { try container.encode(member, forKey: PlaceKey(stringValue: name)) }
        default:
            var container = encoder.singleValueContainer()
            switch self {
            case .bool(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .bigInteger(let digits):
                if let value = Int128(digits) { try container.encode(value) } else { try container.encode(number) }
            case .number(let value): try container.encode(value)
            case .string, .unpaired: try container.encode(string)
            default: try container.encodeNil()
            }
        }
    }
}
