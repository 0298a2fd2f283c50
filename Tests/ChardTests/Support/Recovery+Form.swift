// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Recovery {
    /// The form in which the message goes back to its queue; `nil` where it is put aside.
    var form: [UInt8]? {
        for case .putBack(let form) in effects { return form }
        return nil
    }
}
