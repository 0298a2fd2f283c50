// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import ChardSQLite

/// The broker that a URL names; nothing is opened yet.
///
/// - `redis://[user:password@]host[:port]/db`, `rediss://...` with TLS, `redis+unix:///path?db=0` for a Unix socket:
///   `RedisBroker`, whose keys and channels all begin with `keyPrefix`, and whose lists are named by `priorities`.
/// - `valkey://...` and `valkeys://...` mean the same. `redis+sentinel://host1:26379,host2/mymaster/0` asks sentinels for the
///   primary, and so does Celery's `sentinel://host1:26379;sentinel://host2:26379/0?master_name=mymaster`.
/// - `sqlite:///relative.db`, `sqlite:////absolute.db`, with `?synchronous=normal` behind it for speed without the last
///   moments before a power failure: `SQLiteBroker`, for all processes of one machine.
/// - `memory://`: a new `MemoryBroker`, which exists only within this process.
///
/// - Parameters:
///   - url: Where the broker is.
///   - keyPrefix: What all keys and channels on Redis begin with.
///   - priorities: On Redis, the steps of priority; by default what the URL says, or else kombu's usual ones. Files and memory have
///     four steps, whatever this is.
///   - deadLetterLimit: How many dead letters are kept of each queue, at least 1; by default, 10,000.
///   - deadLetterTimeToLive: How long they are kept; by default, 30 days.
///   - history: How much is kept of the history of tasks.
/// - Throws: `BrokerError` with code `misconfigured` for any other URL. It repeats nothing that may be a password.
public func openBroker(
    _ url: String, keyPrefix: String = "", priorities: PrioritySteps? = nil, deadLetterLimit: Int? = nil,
    deadLetterTimeToLive: Duration? = nil, history: HistoryLimits = .usual
) throws(BrokerError) -> any InspectableBroker {
    if let deadLetterLimit, deadLetterLimit < 1 {
        throw BrokerError(.misconfigured, "the limit of dead letters is \(deadLetterLimit); it must be at least 1")
    }
    if let deadLetterTimeToLive, deadLetterTimeToLive <= .zero {
        throw BrokerError(.misconfigured, "dead letters must be kept for longer than nothing")
    }
    let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound].lowercased() }
    let known = "redis://, rediss://, redis+unix://, redis+sentinel://, sqlite:/// and memory://"
    switch scheme {
    case let scheme? where RedisURL.has(scheme: scheme):
        var settings = RedisSettings()
        settings.keyPrefix = keyPrefix
        if let deadLetterLimit { settings.deadLetterLimit = deadLetterLimit }
        if let deadLetterTimeToLive { settings.deadLetterTimeToLive = deadLetterTimeToLive }
        settings.history = history
        let address: RedisURL
        do {
            address = try RedisURL(url)
        } catch {
            throw BrokerError(.misconfigured, error.message, underlying: error)
        }
        if let priorities {
            guard address.priorities ?? priorities == priorities else {
                throw BrokerError(
                    .misconfigured, "the URL has other steps of priority, or another separator, than the settings")
            }
            settings.priorities = priorities
        }
        return RedisBroker(address, settings: settings)
    case "memory":
        guard url.utf8.count == "memory://".utf8.count else {
            throw BrokerError(.misconfigured, "nothing may stand behind memory://")
        }
        var settings = MemorySettings()
        if let deadLetterLimit { settings.deadLetterLimit = deadLetterLimit }
        if let deadLetterTimeToLive { settings.deadLetterTimeToLive = deadLetterTimeToLive }
        settings.history = history
        return MemoryBroker(settings: settings)
    case "sqlite":
        guard keyPrefix.isEmpty else {
            throw BrokerError(
                .misconfigured, "a key prefix is for servers that others share; name another file instead")
        }
        var settings = SQLiteSettings()
        if let deadLetterLimit { settings.deadLetterLimit = deadLetterLimit }
        if let deadLetterTimeToLive { settings.deadLetterTimeToLive = deadLetterTimeToLive }
        settings.history = history
        return SQLiteBroker(try SQLiteLocation(url), settings: settings)
    case let scheme? where scheme.utf8.allSatisfy(isPartOfScheme):
        throw BrokerError(.misconfigured, "there is no broker for \(scheme)://; supported are \(known)")
    default:
        throw BrokerError(.misconfigured, "the URL does not start with a scheme; supported are \(known)")
    }
}

private func isPartOfScheme(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"),
        UInt8(ascii: "-"), UInt8(ascii: "."):
        true
    default: false
    }
}
