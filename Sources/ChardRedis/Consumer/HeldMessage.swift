// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A leased message as the scripts return it: whole, or an excerpt of one that is larger than anybody takes.
struct HeldMessage: Sendable {
    let payload: [UInt8]
    let excerptOf: Int?

    init?(_ reply: RESPValue) {
        if let payload = reply.bytes {
            self.payload = payload
            excerptOf = nil
        } else if let parts = reply.array, parts.count == 2, let size = parts[0].integer, let excerpt = parts[1].bytes {
            payload = excerpt
            excerptOf = size
        } else {
            return nil
        }
    }
}
