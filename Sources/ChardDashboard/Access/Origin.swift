// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Hummingbird

extension Request {
    /// Whether a request that changes something may come from another site, through its reader's browser: browsers say where it comes
    /// from, and everything else has no credentials that are not its own.
    var isForeign: Bool {
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ headers[$0] }) { return site != "same-origin" }
        guard let origin = headers[.origin] else { return false }
        let scheme = origin.firstRange(of: "://")
        return scheme.map { origin[$0.upperBound...].lowercased() } != head.authority?.lowercased()
    }
}
