// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Which queue a task's messages go to, by the task's name or by a glob: the first rule that matches decides.
package struct Routes: Sendable {
    private var rules: [(pattern: [UInt8], queue: String)] = []

    mutating func add(_ pattern: String, queue: String) {
        rules.append((Array(pattern.utf8), queue))
    }

    func queue(for task: String) -> String? {
        guard !rules.isEmpty else { return nil }
        let name = Array(task.utf8)
        return rules.first { Self.matches($0.pattern, name) }?.queue
    }

    /// `*` stands for any run of characters, `?` for one; all others for themselves.
    package static func matches(_ pattern: [UInt8], _ name: [UInt8]) -> Bool {
        var p = 0
        var n = 0
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
            } else if p < pattern.count, pattern[p] == name[n] || pattern[p] == UInt8(ascii: "?") {
                p += 1
                n += 1
            } else if let last = star {
                // The star takes one character more, and the match goes on behind it.
                star = (last.pattern, last.name + 1)
                p = last.pattern + 1
                n = last.name + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
