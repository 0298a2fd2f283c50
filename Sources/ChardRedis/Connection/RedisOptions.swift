// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Logging

/// What a connection is told besides where it leads.
package struct RedisOptions: Sendable {
    /// The name that `CLIENT LIST` shows, without spaces.
    package var clientName: String?
    /// How long opening may take, from the name look-up to the server's first reply.
    package var connectTimeout: Duration = .seconds(5)
    /// How long a connection may stay silent while replies are awaited.
    package var readTimeout: Duration = .seconds(8)
    /// After how much silence a connection that awaits nothing is asked for a sign of life; nil never asks.
    package var idleTimeout: Duration? = .seconds(6)
    /// How long the sign of life may take: with ``idleTimeout``, a dead peer is noticed within ten seconds.
    package var pingTimeout: Duration = .seconds(4)
    /// How long a caller of a ``RedisClient`` waits for a connection.
    package var commandTimeout: Duration = .seconds(5)
    /// The waits between attempts to reconnect: they double, each is drawn at random from zero to its bound.
    package var reconnectDelays: ClosedRange<Duration> = .milliseconds(50)...(.seconds(2))
    /// A connection that is sent a larger reply is closed before it takes up memory, in bytes; nil takes whatever comes.
    package var maximumReply: Int?
    /// Asked for user and password in place of the URL's.
    var credentials: CredentialSource?
    /// Told of connections at debug level.
    package var logger = Logger(label: "chard.redis")
    /// Told of connections that are opened and closed.
    let count = ConnectionCount()
    /// Where the URL names sentinels: knows the primary, for all connections that are opened with these options.
    let primaries = PrimaryWatch()

    package init(clientName: String? = nil) {
        self.clientName = clientName
    }
}
