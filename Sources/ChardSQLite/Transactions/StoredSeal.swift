// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// The file's secret by which counted losses are believed.
enum StoredSeal {
    static func present(_ db: Database) throws -> LossSeal {
        let secret = try db.value([UInt8].self, "SELECT secret FROM seal")
        guard let seal = secret.flatMap(LossSeal.init) else {
            throw BrokerError(.damaged, "the file's table \"seal\" is empty; stop all programs, and copy what is left")
        }
        return seal
    }
}
