// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A copy of this program, started by its supervisor: spawned, never forked without exec, since threads do not survive a
/// fork.
///
/// Two pipes connect them. The lifeline carries nothing: it ends with the supervisor, however that ends, and so does the
/// child. On the other one the child reports its identity, so that what it held can be given back at once when it dies.
struct ChildProcess: Sendable {
    let pid: pid_t
    /// Where its reports arrive.
    let reports: Int32
    private let lifeline: Int32

    /// The descriptors under which a child finds its ends, and the variable that tells it to look.
    static let lifelineEnd: Int32 = 3
    static let reportsEnd: Int32 = 4
    static let variable = "CHARD_SUPERVISED"

    /// Starts `program` with these words.
    init(_ program: String, _ arguments: [String], environment: [String: String]) throws(CommandError) {
        let (childLifeline, lifeline) = try Self.pipe()
        let reports: Int32
        let childReports: Int32
        do throws(CommandError) {
            (reports, childReports) = try Self.pipe()
        } catch {
            close(childLifeline)
            close(lifeline)
            throw error
        }
        defer {
            close(childLifeline)
            close(childReports)
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, childLifeline, Self.lifelineEnd)
        posix_spawn_file_actions_adddup2(&actions, childReports, Self.reportsEnd)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of Swift's pool block signals; a child must not inherit that. Nor is it to get the terminal's
        // signals beside those that its supervisor forwards: so it has a process group of its own.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP))
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let variables =
            environment.merging([Self.variable: "1"]) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid = pid_t()
        let failure = posix_spawn(&pid, program, &actions, &attributes, words, variables)
        guard failure == 0 else {
            close(lifeline)
            close(reports)
            throw CommandError("cannot start \(program) again: \(String(cString: strerror(failure)))")
        }
        // Whoever reads looks what there is; it must not wait for what a child's child might write.
        _ = fcntl(reports, F_SETFL, fcntl(reports, F_GETFL) | O_NONBLOCK)
        self.pid = pid
        self.reports = reports
        self.lifeline = lifeline
    }

    func signal(_ number: Int32) {
        kill(pid, number)
    }

    /// Lets go of a child that has ended.
    func release() {
        close(reports)
        close(lifeline)
    }

    /// A pipe whose ends no other child inherits, out of the way of the descriptors that children find.
    private static func pipe() throws(CommandError) -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard systemPipe(&ends) == 0 else { throw noPipe(errno) }
        defer {
            close(ends[0])
            close(ends[1])
        }
        let read = fcntl(ends[0], F_DUPFD_CLOEXEC, reportsEnd + 1)
        guard read >= 0 else { throw noPipe(errno) }
        let write = fcntl(ends[1], F_DUPFD_CLOEXEC, reportsEnd + 1)
        guard write >= 0 else {
            let reason = errno
            close(read)
            throw noPipe(reason)
        }
        return (read, write)
    }

    private static func noPipe(_ reason: Int32) -> CommandError {
        let advice = reason == EMFILE ? "; raise the limit of open files, as with ulimit -n 1024" : ""
        return CommandError("no pipe to a process can be had: \(String(cString: strerror(reason)))\(advice)")
    }
}

private func systemPipe(_ ends: inout [Int32]) -> Int32 {
    pipe(&ends)
}
