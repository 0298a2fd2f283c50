// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where in a value the coder is, kept as a linked list: the array that errors want is built only for an error.
indirect enum CodingPlace: Sendable {
    case root
    case inside(CodingPlace, key: any CodingKey & Sendable)

    func appending(_ key: any CodingKey) -> CodingPlace { .inside(self, key: PlaceKey(key)) }

    func appending(_ index: Int) -> CodingPlace { .inside(self, key: PlaceKey(intValue: index)) }

    var path: [any CodingKey] {
        var path: [any CodingKey] = []
        var place = self
        while case .inside(let outer, let key) = place {
            path.append(key)
            place = outer
        }
        return path.reversed()
    }
}

/// A key that stands for a name or an index.
struct PlaceKey: CodingKey, Sendable {
    let stringValue: String
    let intValue: Int?

    init(_ key: any CodingKey) {
        stringValue = key.stringValue
        intValue = key.intValue
    }

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "Index \(intValue)"
        self.intValue = intValue
    }

    static let `super` = PlaceKey(stringValue: "super")
}
