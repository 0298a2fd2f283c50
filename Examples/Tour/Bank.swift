// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What `shop.charge` depends on: a bank that is too busy for the first three calls.
actor Bank {
    private var calls = 0

    func charge(_ cents: Int) throws -> String {
        calls += 1
        guard calls > 3 else { throw BankBusy() }
        return "receipt for \(cents) cents"
    }
}

/// The bank wants to be asked later.
struct BankBusy: Error, CustomStringConvertible {
    var description: String { "ask again later" }
}
