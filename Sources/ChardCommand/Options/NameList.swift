// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Names with commas between, as flags and environment variables list them.
enum NameList {
    /// The names that texts list, without the spaces around them; empty ones are left out.
    static func names(in texts: [String]) -> [String] {
        texts.flatMap { $0.split(separator: ",") }.map { name in
            String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
    }
}
