// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Ended processes that nobody waits for: the first process of a container becomes the parent of whatever the programs that tasks
/// start have left behind.
///
/// Those that were started here are waited for by whoever started them, soon. So only what has been dead for a whole interval is
/// let go of. A supervisor has no need of this: it starts nothing else, and waits for all.
struct Orphans {
    /// How long somebody may take to wait for a process of his own.
    static let interval: Duration = .seconds(30)

    /// The dead children that were there at the last look.
    private var dead: Set<pid_t> = []

    /// Looks after them for as long as the returned value lives, where this process is the first one; nil elsewhere.
    static func lookAfter() -> (any DispatchSourceTimer)? {
        guard getpid() == 1 else { return nil }
        let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "chard.orphans"))
        timer.schedule(deadline: .now() + interval.seconds, repeating: interval.seconds, leeway: .seconds(1))
        nonisolated(unsafe) var orphans = Orphans()  // Touched by the timer alone.
        timer.setEventHandler { orphans.look() }
        timer.resume()
        return timer
    }

    /// Lets go of those that were dead at the last look, too.
    mutating func look() {
        let present = Self.deadChildren()
        for pid in present.intersection(dead) {
            var status: Int32 = 0
            _ = waitpid(pid, &status, WNOHANG)
        }
        dead = present.subtracting(dead)
    }

    private static func deadChildren() -> Set<pid_t> {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return Set(
            entries.compactMap { pid_t($0) }.filter { pid in
                (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)).map(isDeadChild) ?? false
            })
    }

    /// Whether a line of `/proc/PID/stat` is that of a dead child of this process. The name in it may hold anything.
    static func isDeadChild(_ line: String) -> Bool {
        guard let name = line.lastIndex(of: ")") else { return false }
        let fields = line[line.index(after: name)...].split(separator: " ")
        return fields.count > 1 && fields[0] == "Z" && fields[1] == "\(getpid())"
    }
}
