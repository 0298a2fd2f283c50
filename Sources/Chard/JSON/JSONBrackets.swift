// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Goes through a text that is JSON by its brackets alone, so that no depth is too much.
enum JSONBrackets {
    /// Calls `visit` for each bracket and comma outside of strings.
    ///
    /// - Parameter visit: Gets the byte, its place, and how deep it stands: an opening bracket as its contents, a closing one as what is
    ///   behind it.
    static func walk(_ text: [UInt8], _ visit: (_ byte: UInt8, _ index: Int, _ depth: Int) -> Void) {
        var depth = 0
        var (isInString, isEscaped) = (false, false)
        for (index, byte) in text.enumerated() {
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
                visit(byte, index, depth)
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                visit(byte, index, depth)
            case UInt8(ascii: ","): visit(byte, index, depth)
            default: break
            }
        }
    }
}
