// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardRedis
import ChardSQLite
import FoundationEssentials

/// The one app of this program. ArgumentParser makes commands itself, so nothing can be handed to them.
enum Bench {
    static let environment = ProcessInfo.processInfo.environment

    static let app: Chard = {
        do {
            return Chard("bench", broker: try broker(environment["BENCH_REDIS_URL"] ?? "redis://localhost"))
        } catch {
            complain("chard-bench-peer: BENCH_REDIS_URL: \(error)")
        }
    }()

    private static func broker(_ url: String) throws -> any Broker {
        let history = environment["BENCH_NOHISTORY"] == "1" ? HistoryLimits.none : .usual
        if url.hasPrefix("sqlite:") {
            var settings = SQLiteSettings()
            settings.history = history
            return SQLiteBroker(try SQLiteLocation(url), settings: settings)
        }
        var settings = RedisSettings()
        settings.history = history
        return RedisBroker(try RedisURL(url), settings: settings)
    }

    static let tasks = BenchTasks(
        app, trace: Trace(directory: environment["BENCH_DIR"] ?? "."),
        ignoresResults: environment["BENCH_NORESULT"] == "1")
}
