// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// How deep arrays and objects are nested in a text that is JSON.
enum JSONDepth {
    /// The depth, if it is more than `limit`. A text that is too short for so many brackets is not looked at.
    static func of(_ text: [UInt8], above limit: Int) -> Int? {
        guard text.count / 2 > limit else { return nil }
        var (depth, deepest) = (0, 0)
        var (isInString, isEscaped) = (false, false)
        for byte in text {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                deepest = max(deepest, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            default: break
            }
        }
        return deepest > limit ? deepest : nil
    }
}
