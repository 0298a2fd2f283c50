// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

protocol Mailer: Sendable {
    var name: String { get }
}

@Suite("What tasks need besides their arguments")
struct DependenciesTests {
    struct Post: Mailer {
        let name: String
    }

    let dependencies = Dependencies()

    @Test("values are found under their type, the later one")
    func own() throws {
        dependencies.register(Post(name: "a"))
        dependencies.register(Post(name: "b"))
        #expect(try dependencies.get(Post.self).name == "b")
        let inferred: Post = try dependencies.get()
        #expect(inferred.name == "b")
    }

    @Test("a protocol stands for its value, and only where it was registered so")
    func byProtocol() throws {
        dependencies.register(Post(name: "a"), as: (any Mailer).self)
        #expect(try dependencies.get((any Mailer).self).name == "a")
        #expect(throws: MissingDependency.self) { try dependencies.get(Post.self) }
    }

    @Test("a missing one is named, with the way to add it")
    func missing() {
        let error = #expect(throws: MissingDependency.self) { try dependencies.get(Post.self) }
        #expect(error?.type == "Post")
        #expect(error?.description.hasPrefix("no dependency of type Post is registered; add app.dependencies") == true)
    }
}
