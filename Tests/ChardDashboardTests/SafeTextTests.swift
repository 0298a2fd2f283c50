// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Testing

@testable import ChardDashboard

@Suite("Text that comes from messages, in pages")
struct SafeTextTests {
    private func page(_ text: String, _ template: String = #"<i title="{{text}}">{{text}}</i>"#) throws -> String {
        try Templates(["t": template]).render("t", ["text": .string(text)], now: Date(timeIntervalSince1970: 0))
    }

    @Test("Markup is text", arguments: ["<script>alert(1)</script>", "\" onload=\"alert(1)", "'&<>"])
    func markup(_ text: String) throws {
        let page = try page(text)
        #expect(!page.contains("<script") && !page.contains("\" onload"))
        #expect(page.filter { $0 == "<" }.count == 2)
    }

    @Test(
        "A quote with a mark on it is a quote",
        arguments: ["\"\u{301} onfocus=x", "<\u{301}b", "\u{600}\"", "'\u{200D}x", "&\u{FE0F}"])
    func marks(_ text: String) throws {
        let scalars = try page(text).unicodeScalars
        let count = try page("").unicodeScalars
        for mark in "<>\"'".unicodeScalars {
            #expect(scalars.filter { $0 == mark }.count == count.filter { $0 == mark }.count)
        }
    }

    @Test("Control characters are pictures of themselves")
    func controls() {
        #expect(SafeText.clean("a\u{0}b\u{1B}[31m\u{7F}\n\t") == "a␀b␛[31m␡\n\t")
        #expect(SafeText.clean("evil\u{202E}txt.exe") == "evil⟨202E⟩txt.exe")
    }

    @Test("A huge text is cut, and says so")
    func huge() {
        let text = SafeText.clean(String(repeating: "x", count: 1_000_000))
        #expect(text.utf8.count < 30_000)
        #expect(text.hasSuffix("(980000 more characters)"))
    }
}
