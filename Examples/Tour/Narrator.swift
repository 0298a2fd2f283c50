// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Tells the tour: how titles, code, talk and results look.
struct Narrator: Sendable {
    let terminal: Terminal

    /// The opening, and what else stands by itself.
    func headline(_ text: String) {
        terminal.write("\n" + terminal.text(text, .bold) + "\n")
    }

    /// A chapter begins.
    func chapter(_ number: Int, of count: Int, _ title: String) {
        terminal.write("\n" + terminal.text("\(number)/\(count)  \(title)", .bold) + "\n\n")
    }

    /// The code of what happens next.
    func code(_ text: String) {
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let code = line.isEmpty ? "" : " " + terminal.text(String(line), .cyan)
            terminal.write(terminal.text("  │", .dim) + code + "\n")
        }
        terminal.write("\n")
    }

    /// A sentence.
    func say(_ text: String) {
        terminal.write(indented(text, by: 2))
    }

    /// An aside, less important than what stands around it.
    func note(_ text: String) {
        terminal.write(terminal.text(indented(text, by: 2), .dim))
    }

    /// What belongs to the line before.
    func detail(_ text: String) {
        terminal.write(terminal.text(indented(text, by: 4), .dim))
    }

    /// What has just happened, as it should.
    func result(_ text: String) {
        terminal.write("  " + terminal.text("→", .green) + indented(text, by: 4).dropFirst(3))
    }

    /// A failure that has just happened, as it should.
    func failure(_ text: String) {
        terminal.write("  " + terminal.text("✗", .red) + indented(text, by: 4).dropFirst(3))
    }

    /// A command to copy.
    func command(_ text: String) {
        terminal.write("    " + terminal.text(text, .cyan) + "\n")
    }

    /// What goes on right now, drawn over what it was before. Nothing where lines cannot be drawn over.
    func live(_ text: String) {
        terminal.redraw("  " + terminal.text(text, .yellow))
    }

    /// Makes room for the line that says what came of it.
    func endLive() {
        terminal.redraw("")
    }

    /// The text in lines of at most 80 columns, broken between words.
    private func indented(_ text: String, by margin: Int) -> String {
        var lines = [""]
        for word in text.split(separator: " ") {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = String(word)
            } else if margin + last.count + 1 + word.count <= 80 {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines.map { String(repeating: " ", count: margin) + $0 + "\n" }.joined()
    }
}
