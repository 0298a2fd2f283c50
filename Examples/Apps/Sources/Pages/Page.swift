// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The frame that all pages of the examples have: readable at any width, dark where the reader likes it dark.
public struct Page: Sendable {
    private let title: String
    private let body: HTML

    /// A page with a title and what stands below it.
    public init(_ title: String, _ body: HTML) {
        self.title = title
        self.body = body
    }

    /// The whole of it.
    public var html: HTML {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(title)</title>
        <style>\(Self.style)</style>
        <main>
        <h1>\(title)</h1>
        \(body)
        </main>
        </html>
        """
    }

    private static let style: HTML = """
        :root { color-scheme: light dark; --accent: #2f6f4e; --line: color-mix(in srgb, currentColor 20%, transparent); }
        body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; }
        main { max-width: 42rem; margin: 0 auto; padding: 1rem 1rem 4rem; }
        h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
        label { display: block; margin: .75rem 0 .25rem; font-weight: 600; }
        label.choice { display: flex; gap: .5rem; font-weight: 400; padding: .5rem 0; border-bottom: 1px solid var(--line); }
        input:not([type=radio]), textarea { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; }
        button { font: inherit; margin-top: 1rem; padding: .5rem 1.25rem; border: 0; border-radius: .375rem;
          background: var(--accent); color: white; cursor: pointer; }
        button:focus-visible, a:focus-visible, input:focus-visible, textarea:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .5rem; border-bottom: 1px solid var(--line); }
        .problem { border-left: 4px solid #b3261e; padding: .5rem 1rem; } .quiet { opacity: .7; }
        meter { width: 100%; height: 1rem; }
        """
}

extension Page {
    /// A page that says what is wrong, and where to go from here.
    public static func problem(_ title: String, _ sentence: String, back: String = "/") -> HTML {
        Page(title, "<p class=\"problem\" role=\"alert\">\(sentence)</p><p><a href=\"\(back)\">Back</a></p>").html
    }
}
