// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis

/// The broker that a URL names; nothing is opened yet.
///
/// - `redis://[user:password@]host[:port]/db`, `rediss://...` with TLS, `redis+unix:///path?db=0` for a Unix socket:
///   ``RedisBroker``, whose keys and channels all begin with `keyPrefix`.
/// - `memory://`: a new ``MemoryBroker``, which exists only within this process.
///
/// - Throws: ``BrokerError`` with code `misconfigured` for any other URL. It repeats nothing that may be a password.
public func openBroker(_ url: String, keyPrefix: String = "") throws(BrokerError) -> any InspectableBroker {
    let scheme = url.firstRange(of: "://").map { url[..<$0.lowerBound].lowercased() }
    let known = "redis://, rediss://, redis+unix:// and memory://"
    switch scheme {
    case "redis", "rediss", "redis+unix", "redis+socket", "unix":
        var settings = RedisSettings()
        settings.keyPrefix = keyPrefix
        do {
            return RedisBroker(try RedisURL(url), settings: settings)
        } catch {
            throw BrokerError(.misconfigured, error.message, underlying: error)
        }
    case "memory":
        guard url.utf8.count == "memory://".utf8.count else {
            throw BrokerError(.misconfigured, "nothing may stand behind memory://")
        }
        return MemoryBroker()
    case "sqlite":
        throw BrokerError(.misconfigured, "sqlite:// is not supported yet; supported are \(known)")
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
