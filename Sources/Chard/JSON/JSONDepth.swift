// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How deep arrays and objects are nested in a text that is JSON.
enum JSONDepth {
    /// The depth, if it is more than `limit`. A text that is too short for so many brackets is not looked at.
    static func of(_ text: [UInt8], above limit: Int) -> Int? {
        guard text.count / 2 > limit else { return nil }
        var deepest = 0
        JSONBrackets.walk(text) { _, _, depth in deepest = max(deepest, depth) }
        return deepest > limit ? deepest : nil
    }
}
