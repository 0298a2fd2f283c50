// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How many files and connections this process may have open at once: what `ulimit -n` says.
enum OpenFiles {
    /// Fewer are not enough for a program, its event loops, and one connection each.
    static let least = 32
    /// A worker has some connections and some more for each queue, and so have the bodies of its tasks.
    static let enough = 256

    /// The limit; `nil` if there is none.
    static var limit: Int? {
        var limits = rlimit()
        #if canImport(Glibc)
        let status = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        #else
        let status = getrlimit(RLIMIT_NOFILE, &limits)
        #endif
        return status == 0 ? Int(exactly: limits.rlim_cur) : nil
    }

    /// Says so where there are too few to begin with: what is in want of one later might be unable to.
    static func check() throws(CommandError) {
        guard let limit, limit < least else { return }
        throw CommandError(
            "this process may have only \(limit) files and connections open; raise that, as with ulimit -n 1024")
    }

    static var finding: Finding {
        guard let limit else { return Finding(.fine, "open files", "no limit for this user's processes") }
        let text = "at most \(limit) in each of this user's processes"
        guard limit < enough else { return Finding(.fine, "open files", text) }
        return Finding(
            .warning, "open files", "\(text): a worker of many queues needs more connections",
            advice: "raise the limit, as with ulimit -n 1024")
    }
}
