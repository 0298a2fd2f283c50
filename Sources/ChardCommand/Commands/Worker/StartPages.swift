// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The pages of code that only a program's start has needed.
///
/// Linux maps 64 KB around every page that is touched. Reading a command line touches much of a program that a worker never
/// comes back to, and all that counts as the worker's memory for as long as it lives.
enum StartPages {
    /// Lets go of all pages of code. Those that are still needed come back from the system's cache, one by one.
    static func release() {
        #if os(Linux)
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return }
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            // Code is never written to: what is dropped here is as it is in its file.
            guard words.count >= 6, words[1] == "r-xp", words[5].first == "/" else { continue }
            let bounds = words[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]) else { continue }
            madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
        #endif
    }
}
