// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Standard output: with colours, and with a line that is drawn over and over, where somebody looks at it; plain text
/// where it goes to a file or another program.
struct Terminal: Sendable {
    /// The few looks that the tour uses, by their number in ANSI's escape sequences.
    enum Look: Int {
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
        case cyan = 36
    }

    /// Whether a line can be drawn over.
    let isLive: Bool
    /// Whether colours are wanted: not where `NO_COLOR` is set to anything (https://no-color.org).
    let hasColours: Bool

    static func standard() -> Terminal {
        let environment = ProcessInfo.processInfo.environment
        let isLive = isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
        return Terminal(isLive: isLive, hasColours: isLive && environment["NO_COLOR", default: ""].isEmpty)
    }

    func text(_ text: String, _ look: Look) -> String {
        hasColours ? "\u{1B}[\(look.rawValue)m\(text)\u{1B}[0m" : text
    }

    /// Not through `print`: its buffer would keep a live line back, and what a pipe gets until the very end.
    func write(_ text: String) {
        try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8))
    }

    /// Puts `text` in the place of the line that the cursor is on.
    func redraw(_ text: String) {
        if isLive { write("\r\u{1B}[2K" + text) }
    }

    static func complain(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
