// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What tells the processes of one supervisor apart: each has a number, from 1, which whoever replaces it inherits.
enum ProcessName {
    /// The variable in which a process finds its number.
    static let variable = "CHARD_PROCESS"

    /// The node name of one of several processes: the number stands before the host, `shop-2@host`.
    static func node(_ name: String, number: String) -> String {
        guard let at = name.lastIndex(of: "@") else { return "\(name)-\(number)" }
        return "\(name[..<at])-\(number)\(name[at...])"
    }
}
