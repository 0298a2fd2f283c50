// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The tags of a page, read as a browser does: to see that nothing in them is from a message.
struct Markup {
    struct Tag: Hashable {
        var name = ""
        var attributes: [String: String] = [:]
    }

    private(set) var tags: [Tag] = []

    init(_ html: String) {
        var rest = Array(html.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            guard scalar == "<", let next = rest.first, Self.isLetter(next) else { continue }
            tags.append(Self.tag(&rest))
        }
    }

    /// What is wrong with it: elements that run or load something, or attributes that do.
    var offences: [String] {
        tags.flatMap { tag -> [String] in
            var found = tag.attributes.keys.filter { $0.hasPrefix("on") || $0 == "style" || $0 == "srcdoc" }
                .map { "\(tag.name) \($0)" }
            if ["iframe", "object", "embed", "base", "img", "b2"].contains(tag.name) { found.append(tag.name) }
            if tag.name == "script", tag.attributes["src"]?.contains("/assets/dashboard.js") != true {
                found.append("script")
            }
            for name in ["href", "src", "action", "formaction"] {
                guard let place = tag.attributes[name] else { continue }
                if !place.hasPrefix("/") && place != "data:," && place != "#main" {
                    found.append("\(tag.name) \(name)=\(place)")
                }
            }
            return found
        }
    }

    /// The addresses that its links lead to, without what is escaped for HTML.
    var links: [String] {
        tags.filter { $0.name == "a" }.compactMap { $0.attributes["href"]?.replacing("&amp;", with: "&") }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool { [" ", "\n", "\t", "/"].contains(scalar) }

    private static func tag(_ rest: inout ArraySlice<Unicode.Scalar>) -> Tag {
        func text(_ scalars: [Unicode.Scalar]) -> String {
            String(String.UnicodeScalarView(scalars))
        }
        func word(_ isEnd: (Unicode.Scalar) -> Bool) -> String {
            var word: [Unicode.Scalar] = []
            while let scalar = rest.first, !isEnd(scalar) {
                word.append(scalar)
                rest.removeFirst()
            }
            return text(word)
        }
        var tag = Tag(name: word { isSpace($0) || $0 == ">" }.lowercased())
        while let scalar = rest.first, scalar != ">" {
            if isSpace(scalar) {
                rest.removeFirst()
                continue
            }
            let name = word { isSpace($0) || $0 == ">" || $0 == "=" }.lowercased()
            guard rest.first == "=" else {
                tag.attributes[name] = ""
                continue
            }
            rest.removeFirst()
            if let quote = rest.first, quote == "\"" || quote == "'" {
                rest.removeFirst()
                tag.attributes[name] = word { $0 == quote }
                _ = rest.popFirst()
            } else {
                tag.attributes[name] = word { isSpace($0) && $0 != "/" || $0 == ">" }
            }
        }
        return tag
    }
}
