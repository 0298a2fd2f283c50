// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A child process: its id, signals for it, its end.
///
/// By posix_spawn, since Foundation's `Process` crashes now and then when several are started at once.
final class Child: Sendable {
    private struct State {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    let id: pid_t
    private let state: Mutex<State>

    /// Starts a program, looked for on the `PATH` where its name has no slash, and writes what it prints to files.
    init(
        _ program: String, _ arguments: [String], environment: [String: String] = [:], output: String = "/dev/null",
        errors: String = "/dev/null"
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let writing = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, writing, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, errors, writing, 0o644)
        Self.keepDescriptors()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Swift's pool threads block signals, and a child inherits that from the thread that starts it.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = ([program] + arguments).map { strdup($0) } + [nil]
        let variables =
            ProcessInfo.processInfo.environment.merging(environment) { $1 }
            .map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var id = pid_t()
        let failure = posix_spawnp(&id, program, &actions, &attributes, words, variables)
        guard failure == 0 else {
            throw TestServerError("cannot start \(program): \(String(cString: strerror(failure)))")
        }
        self.id = id
        state = Mutex(State())
        Thread.detachNewThread { [self] in reap() }
    }

    /// Whatever is open in this process is nothing to its children: a socket that they kept would never end.
    private static func keepDescriptors() {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/dev/fd")) ?? [] {
            if let descriptor = Int32(name), descriptor > 2 { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        }
    }

    /// Waits for the end, and takes note of it before the id can be somebody else's.
    private func reap() {
        var info = siginfo_t()
        while waitid(P_PID, id_t(id), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let (status, waiters) = state.withLock { state in
            var raw: Int32 = 0
            waitpid(id, &raw, 0)
            let status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : -(raw & 0x7f)
            state.status = status
            defer { state.waiters = [] }
            return (status, state.waiters)
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    /// Its exit status, or the number of the signal that ended it, negative; `nil` while it runs.
    var status: Int32? { state.withLock { $0.status } }

    /// Waits for its end.
    func ended() async -> Int32 {
        await withCheckedContinuation { continuation in
            let status = state.withLock { state in
                if state.status == nil { state.waiters.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    /// Sends a signal, if it still runs.
    func signal(_ number: Int32) {
        state.withLock { if $0.status == nil { _ = kill(id, number) } }
    }

    /// Runs a program to its end: its exit status, and what it printed but for the last line end.
    static func output(
        of program: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> (status: Int32, text: String) {
        let file = FileManager.default.temporaryDirectory.path + "/output-\(UInt64.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: file) }
        let status = await (try Child(program, arguments, environment: environment, output: file, errors: file)).ended()
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        return (status, text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
}
