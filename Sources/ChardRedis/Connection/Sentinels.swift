// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The sentinels that know which of some servers is the primary, and how to ask them.
///
/// Neither user nor password shows in any description or dump.
public struct Sentinels: Sendable, Hashable {
    /// Where they are, in the order in which they are asked.
    public let addresses: [RedisURL.Address]
    /// By which name they know the primary: their `sentinel monitor NAME ...`.
    public let primary: String
    /// How they are spoken to; nil, as by default, speaks in the clear, whatever the servers have.
    public let tls: RedisTLS?
    package let user: String?
    package let password: String?

    init(_ addresses: [RedisURL.Address], primary: String, tls: RedisTLS?, user: String?, password: String?) {
        self.addresses = addresses
        self.primary = primary
        self.tls = tls
        self.user = user
        self.password = password
    }

    /// What a connection to one of them is opened to.
    func url(of place: Int) -> RedisURL {
        RedisURL(addresses[place], user: user, password: password, tls: tls)
    }
}

extension Sentinels: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The addresses, with commas between.
    public var description: String { addresses.map(\.text).joined(separator: ",") }

    /// The same as ``description``.
    public var debugDescription: String { description }

    /// A mirror that shows only ``description``.
    public var customMirror: Mirror { Mirror(self, children: ["addresses": description, "primary": primary]) }
}
