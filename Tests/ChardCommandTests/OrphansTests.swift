// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if os(Linux)
import Foundation
import Testing

@testable import ChardCommand

@Suite("Ended processes that nobody waits for", .timeLimit(.minutes(1)))
struct OrphansTests {
    @Test("one that is dead at two looks is let go of, and not before")
    func reaping() async throws {
        var pid = pid_t()
        var words = [strdup("/bin/true"), nil]
        defer { free(words[0]) }
        #expect(posix_spawn(&pid, "/bin/true", nil, nil, &words, nil) == 0)
        func isThere() -> Bool { kill(pid, 0) == 0 }
        while !isDead(pid) { try await Task.sleep(for: .milliseconds(5)) }
        var orphans = Orphans()
        orphans.look()
        #expect(isThere())
        orphans.look()
        #expect(!isThere())
    }

    private func isDead(_ pid: pid_t) -> Bool {
        (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)).map(Orphans.isDeadChild) ?? false
    }

    @Test("a process may have any name")
    func names() {
        #expect(Orphans.isDeadChild("7 (a) Z 1 (b)) Z \(getpid()) 7 0"))
        #expect(!Orphans.isDeadChild("7 (a) Z \(getpid())) S \(getpid()) 7 0"))
        #expect(!Orphans.isDeadChild("7 (a) Z \(getpid() + 1) 7 0"))
        #expect(!Orphans.isDeadChild(""))
    }
}
#endif
