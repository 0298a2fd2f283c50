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
        :root { color-scheme: light dark; --accent: #2f6f4e; --line: color-mix(in srgb, currentColor 18%, transparent);
          --card: color-mix(in srgb, currentColor 4%, Canvas); }
        body { font: 1rem/1.55 system-ui, sans-serif; margin: 0; background: Canvas; }
        main { max-width: 44rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; overflow-wrap: anywhere; }
        h1 { font-size: 1.6rem; line-height: 1.25; margin: .5rem 0 1.25rem; }
        h2 { font-size: 1.15rem; margin: 2rem 0 .75rem; }
        a { color: var(--accent); } @media (prefers-color-scheme: dark) { :root { --accent: #5fb98a; } button { color: #06210f !important; } }
        form, .card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .5rem 1rem 1rem; margin: 0 0 1rem; }
        .card { padding: .75rem 1rem; }
        label { display: block; margin: .75rem 0 .25rem; font-weight: 600; }
        label.choice { display: flex; gap: .5rem; font-weight: 400; padding: .6rem 0; margin: 0; border-bottom: 1px solid var(--line); }
        input:not([type=radio]), textarea, select { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem .6rem;
          border: 1px solid var(--line); border-radius: .375rem; background: Canvas; color: CanvasText; }
        button { font: inherit; font-weight: 600; margin: 1rem .5rem 0 0; padding: .55rem 1.25rem; border: 0; border-radius: .375rem;
          background: var(--accent); color: white; cursor: pointer; }
        button.second { background: transparent; color: var(--accent) !important; box-shadow: inset 0 0 0 1px var(--accent); }
        button[disabled] { opacity: .5; cursor: default; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .5rem .5rem .5rem 0; border-bottom: 1px solid var(--line);
          vertical-align: top; } td.number, th.number { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums; }
        .problem { border-left: 4px solid #c9463d; padding: .5rem 1rem; background: var(--card); } .quiet { opacity: .7; font-size: .9rem; }
        .state { display: inline-block; font-size: .85rem; padding: .05rem .6rem; border-radius: 1rem; border: 1px solid var(--line); }
        .state.open, .state.good { border-color: var(--accent); color: var(--accent); }
        th { white-space: nowrap; } td.bar { width: 45%; } meter, progress { width: 100%; height: 1rem; accent-color: var(--accent); }
        img.photo { width: 5rem; height: 5rem; object-fit: cover; border-radius: .5rem; display: block; background: var(--line); }
        """
}

extension Page {
    /// A page that says what is wrong, and where to go from here.
    public static func problem(_ title: String, _ sentence: String, back: String = "/") -> HTML {
        Page(title, "<p class=\"problem\" role=\"alert\">\(sentence)</p><p><a href=\"\(back)\">Back</a></p>").html
    }
}
