// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

extension Logger.Level {
    /// Reads a level's name as people write it.
    init(naming name: String, from origin: String) throws(CommandError) {
        guard let level = Self(rawValue: name.lowercased()) else {
            let hint = Suggestion.hint(for: name, among: Self.allCases.map(\.rawValue))
            throw CommandError("\(origin): there is no log level \"\(name)\"\(hint)", status: .misused)
        }
        self = level
    }
}
