// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker that has connections to a server, and counts them: an optional power, which metrics ask for.
public protocol ConnectedBroker: Broker {
    /// How it is connected. May be asked from any thread, at any time.
    var connections: ConnectionFigures { get }
}

/// How a broker is connected to its server.
public struct ConnectionFigures: Sendable, Hashable {
    /// How many connections are open.
    public var open: Int
    /// How often a lasting connection was lost and opened again since the program began.
    public var reconnects: Int

    /// Makes figures.
    public init(open: Int, reconnects: Int) {
        self.open = open
        self.reconnects = reconnects
    }
}
