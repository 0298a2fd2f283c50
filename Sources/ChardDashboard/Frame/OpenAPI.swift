// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The description of the HTTP API, made from the pages and actions that there are.
enum OpenAPI {
    static func document(of pages: [Page], _ actions: [Action], at base: String) -> JSON {
        var paths: [String: JSON] = [:]
        for page in pages {
            let filters = page.parameters.map { parameter -> JSON in
                [
                    "name": .string(parameter.name), "in": "query", "description": .string(parameter.meaning),
                    "schema": ["type": "string"],
                ]
            }
            paths[page.path, default: [:]]["get"] = [
                "summary": .string(page.summary), "parameters": .array(names(in: page.path) + filters),
                "responses": answers("What the page shows."),
            ]
        }
        for action in actions {
            let properties = action.fields.map {
                ($0.name, ["type": "string", "description": .string($0.meaning)] as JSON)
            }
            let required = action.fields.filter(\.isRequired).map { JSON.string($0.name) }
            var schema: JSON = [
                "type": "object", "properties": .object(Dictionary(uniqueKeysWithValues: properties)),
            ]
            if !required.isEmpty { schema["required"] = .array(required) }
            paths[action.path, default: [:]]["post"] = [
                "summary": .string(action.deed.prefix(1).uppercased() + action.deed.dropFirst()),
                "parameters": .array(names(in: action.path)),
                "requestBody": [
                    "content": [
                        "application/json": ["schema": schema],
                        "application/x-www-form-urlencoded": ["schema": schema],
                    ]
                ],
                "responses": answers("What came of it: `outcome`, `changed` and the `place` that shows it."),
            ]
        }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Chard's dashboard", "version": .string(Chard.version),
                "description": "Pages as JSON (Accept: application/json), and what can be ordered.",
            ],
            "servers": [["url": .string(base.isEmpty ? "/" : base)]],
            "paths": .object(paths),
        ]
    }

    /// The parameters in a path.
    private static func names(in path: String) -> [JSON] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            [
                "name": .string(String(part.dropFirst().dropLast())), "in": "path", "required": true,
                "schema": ["type": "string"],
            ]
        }
    }

    private static func answers(_ text: String) -> JSON {
        let problem: JSON = [
            "description": "What went wrong, in a sentence: `detail`.",
            "content": ["application/problem+json": ["schema": ["type": "object"]]],
        ]
        return [
            "200": [
                "description": .string(text), "content": ["application/json": ["schema": ["type": "object"]]],
            ],
            "default": problem,
        ]
    }
}
