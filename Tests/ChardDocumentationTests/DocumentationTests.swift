// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// Every block of Swift in the README, the guides and the catalogs of modules stands, paragraph by paragraph, in a file that is compiled or run with the tests:
/// most of them in `Code/` beside this file, which gives them what they take for granted.
@Suite("The code of the documentation")
struct DocumentationTests {
    /// A block of code in a text.
    struct Block: CustomTestStringConvertible, Sendable {
        let file: String
        let line: Int
        /// Its lines, between one empty line and the next.
        let paragraphs: [[String]]

        var testDescription: String { "\(file):\(line)" }
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let blocks = texts().flatMap(blocks(in:))

    private static func files(in folder: String, ending: String) -> [URL] {
        let files = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
        return (files?.allObjects as? [URL] ?? []).filter { $0.lastPathComponent.hasSuffix(ending) }
    }

    private static func texts() -> [URL] {
        [root.appending(path: "README.md")]
            + (files(in: "docs", ending: ".md") + files(in: "Sources", ending: ".md")).sorted { $0.path < $1.path }
    }

    private static func blocks(in file: URL) -> [Block] {
        let lines = ((try? String(contentsOf: file, encoding: .utf8)) ?? "").components(separatedBy: "\n")
        var blocks: [Block] = []
        var start: Int?
        for (index, line) in lines.enumerated() {
            if line == "```swift" {
                start = index + 1
            } else if line == "```", let first = start {
                blocks.append(
                    Block(
                        file: file.lastPathComponent, line: first,
                        paragraphs: lines[first..<index].split { $0.isEmpty }.map(plain).filter { !$0.isEmpty }))
                start = nil
            }
        }
        return blocks
    }

    /// Lines without indentation and empty ones, and without what only their place in a file asks for.
    private static func plain(_ lines: some Sequence<String>) -> [String] {
        lines.map { line in
            var line = line.trimmingCharacters(in: .whitespaces)
            for word in ["private ", "static "] where line.hasPrefix(word) { line.removeFirst(word.count) }
            // What is said behind a line is for its reader.
            if let comment = line.range(of: "  //") { line = String(line[..<comment.lowerBound]) }
            return line.trimmingCharacters(in: .whitespaces)
        }.filter { !$0.isEmpty && !$0.hasPrefix("import ") }
    }

    /// What is part of a manifest, and so of another package.
    private func isOfManifest(_ block: Block) -> Bool {
        block.paragraphs.first?.first.map { $0.hasPrefix(".package(") || $0.hasPrefix("platforms:") } ?? false
    }

    @Test("each block is code that is compiled", arguments: blocks)
    func isCompiled(_ block: Block) {
        guard !isOfManifest(block) else { return }
        let isFound = Self.sources.contains { source in
            block.paragraphs.allSatisfy { paragraph in
                source.indices.contains { source[$0...].starts(with: paragraph) }
            }
        }
        #expect(isFound, "put the block into Tests/ChardDocumentationTests/Code, with what it takes for granted")
    }

    @Test("there are blocks at all")
    func finds() {
        #expect(Self.blocks.count > 15)
        #expect(Self.blocks.contains { $0.file == "README.md" })
    }

    private static let sources: [[String]] =
        (files(in: "Tests", ending: ".swift") + files(in: "Examples", ending: ".swift"))
        .map { plain(((try? String(contentsOf: $0, encoding: .utf8)) ?? "").components(separatedBy: "\n")) }
}
