// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is around every page.
enum Layout {
    static let template = """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>{{title}} · {{app}}</title>
        <link rel="icon" href="data:,">
        <link rel="stylesheet" href="{{base}}/assets/dashboard.css?{{version}}">
        <script src="{{base}}/assets/dashboard.js?{{version}}" defer></script>
        </head>
        <body>
        <a class="skip" href="#main">To the content</a>
        <header>
        <a class="brand" href="{{base}}/">{{app}}</a>
        <nav aria-label="Pages"><ul>
        {{#menu}}<li><a href="{{base}}{{path}}"{{#isCurrent}} aria-current="page"{{/isCurrent}}>{{title}}</a></li>
        {{/menu}}</ul></nav>
        <button id="live" type="button" hidden aria-pressed="true">Pause</button>
        </header>
        <p id="banner" role="status" hidden></p>
        {{#notice}}<p class="notice" role="status">{{.}}</p>{{/notice}}
        <main id="main"{{#isLive}} data-live{{/isLive}}>
        <h1>{{title}}</h1>
        <!-- main -->
        </main>
        <footer>{{broker}} · Chard {{version}}{{#isReadOnly}} · read only{{/isReadOnly}}{{#user}} · {{.}}{{/user}} ·
        <a href="{{base}}/openapi.json">API</a></footer>
        </body>
        </html>
        """
}
