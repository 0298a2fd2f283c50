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
            return Chard("bench", broker: try broker())
        } catch {
            complain("chard-bench-peer: BENCH_REDIS_URL: \(error)")
        }
    }()

    /// A broker of its own on the server, or the file, that is measured on.
    static func broker() throws -> any Broker {
        let url = environment["BENCH_REDIS_URL"] ?? "redis://localhost"
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

    static let trace = Trace(directory: environment["BENCH_DIR"] ?? ".")
    static let ignoresResults = environment["BENCH_NORESULT"] == "1"
    static let tasks = BenchTasks(app, trace: trace, ignoresResults: ignoresResults)
}
