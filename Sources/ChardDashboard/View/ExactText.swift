// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Text for the value of a field, which has to come back as it was: every character that is no plain letter, digit or one of a few marks as
/// its number. It goes into a template between three braces.
enum ExactText {
    static func escape(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", " ", "-", "_", ".", ",", ":", "[", "]", "{", "}", "(", ")", "\n":
                escaped.unicodeScalars.append(scalar)
            default: escaped += "&#\(scalar.value);"
            }
        }
        return escaped
    }
}
