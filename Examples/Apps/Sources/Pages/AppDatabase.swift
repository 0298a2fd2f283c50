// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import GRDB

/// Opens an app's own SQLite file, which web server and worker share: who finds the other one writing waits for it.
public func openDatabase(_ path: String) throws -> DatabasePool {
    var configuration = Configuration()
    configuration.busyMode = .timeout(10)
    return try DatabasePool(path: path, configuration: configuration)
}
