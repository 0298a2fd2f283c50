// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Operator {
    /// What workers have put aside since it stood where something else should, and held up tasks. Only on a server that others
    /// write to can there be anything: elsewhere it is empty.
    public struct Aside: Sendable {
        let app: Chard

        private var store: (any AsideStore)? {
            get throws { try app.broker.power(.aside) }
        }

        /// What was put aside, the oldest first.
        public func list() async throws -> [AsideItem] {
            try await store?.asideItems() ?? []
        }

        /// Puts something back to where it stood; where it still does not belong there, a worker puts it aside again. Returns
        /// whether it was there.
        /// - Throws: ``BrokerError`` where something else has taken its place.
        @discardableResult
        public func restore(_ name: String) async throws -> Bool {
            try await store?.restoreAside(name) ?? false
        }

        /// Deletes something that was put aside, for good. Returns whether it was there.
        @discardableResult
        public func drop(_ name: String) async throws -> Bool {
            try await store?.dropAside(name) ?? false
        }
    }
}

extension Finding {
    /// What was put aside, if there is anything.
    static func aside(_ items: [AsideItem]) -> Finding? {
        guard let first = items.first else { return nil }
        let places = items.prefix(5).map(\.place).joined(separator: ", ")
        return Finding(
            .warning, "put aside",
            "\(items.count) in the way of tasks: \(places)\(items.count > 5 ? " and others" : "")",
            advice: "see them: aside list; then aside drop \(first.name), or aside restore \(first.name)")
    }
}
