// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// A broker whose workers put aside what stands where something else should, such as a text under the name of a queue, so
/// that it holds up nobody: an optional power.
///
/// Messages that cannot be run are not among it: they are dead letters.
public protocol AsideStore: Broker {
    /// What was put aside, the oldest first.
    func asideItems() async throws -> [AsideItem]
    /// Puts something back to where it stood. Returns whether it was there.
    /// - Throws: ``BrokerError`` where something else has taken its place.
    func restoreAside(_ name: String) async throws -> Bool
    /// Deletes something that was put aside, for good. Returns whether it was there.
    func dropAside(_ name: String) async throws -> Bool
}

/// Something that was put aside.
public struct AsideItem: Sendable, Hashable {
    /// By which it is restored or dropped.
    public var name: String
    /// Where it stood.
    public var place: String
    /// Where it is now, for the broker's own tools.
    public var key: String
    /// What it is, in the broker's words; `nil` where that may not be asked, or it has gone.
    public var kind: String?
    /// What should have been there.
    public var expected: String
    /// How many elements it has, or bytes of a text; `nil` where that is not known.
    public var size: Int?
    /// What the broker said.
    public var reason: String
    /// The worker that put it aside.
    public var worker: String
    /// When it was put aside.
    public var at: Date

    /// Makes an item.
    public init(
        name: String, place: String, key: String, kind: String?, expected: String, size: Int?, reason: String,
        worker: String, at: Date
    ) {
        self.name = name
        self.place = place
        self.key = key
        self.kind = kind
        self.expected = expected
        self.size = size
        self.reason = reason
        self.worker = worker
        self.at = at
    }
}
