// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Dispatch
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Starts, watches, replaces and stops N copies of this program.
///
/// What a dead child held is given back at once, by the identity it reported, instead of when its lease lapses. SIGTERM,
/// SIGINT and SIGQUIT are passed on; SIGHUP replaces the children one by one, each only when its successor is ready.
/// Everything happens on one queue, which no task can block, since the supervisor runs none.
final class Supervisor: Sendable {
    private struct Child {
        var process: ChildProcess
        var slot: Int
        var identity: String?
        /// Since when it takes work, if it does.
        var readySince: ContinuousClock.Instant?
        /// Whether it has said that it ends as its limits say.
        var isOverrun = false
        /// Whether it has said that it ends by remote control, and is not to be replaced.
        var isDismissed = false
        /// The child that takes over from this one, as SIGHUP asks.
        var replaces: pid_t?
        var reports: [UInt8] = []

        func end(withStatus status: Int32) -> Restarts.End {
            guard let readySince else { return .notReady }
            return status == 0 || isOverrun ? .orderly : .failed(after: .now - readySince)
        }
    }

    private struct State {
        var children: [pid_t: Child] = [:]
        /// Whether all of them were ready at once.
        var wasReady = false
        var restarts: [Restarts]
        /// How many children were ended by remote control.
        var dismissed = 0
        /// Children still to be replaced, as SIGHUP asks.
        var outdated: [pid_t] = []
        var stops = 0
        var lost = 0
        var ended: CheckedContinuation<Void, Never>?
        var sources: [any DispatchSourceProtocol] = []
        var readers: [pid_t: any DispatchSourceRead] = [:]
    }

    private let program: String
    private let arguments: [String]
    private let environment: [String: String]
    private let count: Int
    private let grace: Duration
    private let app: Chard
    private let output: Output
    /// Who answers probes for all of them, where that is wished.
    private let probes: FleetProbes?
    private let manager: ServiceManager?
    private let queue = DispatchQueue(label: "chard.supervisor")
    /// Touched on `queue` alone, which runs one block at a time.
    private nonisolated(unsafe) var state: State

    init(
        of app: Chard, count: Int, arguments: [String], environment: [String: String], grace: Duration, output: Output,
        probes: FleetProbes? = nil, manager: ServiceManager? = nil
    ) {
        self.manager = manager
        self.probes = probes
        self.app = app
        self.count = count
        self.arguments = arguments
        self.environment = environment
        self.grace = grace
        self.output = output
        program = Self.ownPath
        state = State(restarts: Array(repeating: Restarts(), count: count))
    }

    /// Runs until it was told to stop and the last child has ended.
    func run() async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                state.ended = continuation
                for number in [SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD] { watch(number) }
                for slot in 0..<count { start(slot) }
            }
        }
    }

    private func watch(_ number: Int32) {
        #if canImport(Darwin)
        if number != SIGCHLD { signal(number, SIG_IGN) }
        #endif
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [unowned self] in
            switch number {
            case SIGCHLD: reap()
            case SIGHUP: renew()
            default: stop(number)
            }
        }
        source.resume()
        state.sources.append(source)
    }

    // MARK: Children

    private func start(_ slot: Int, replacing: pid_t? = nil) {
        guard state.stops == 0 else { return endIfDone() }
        do throws(CommandError) {
            var environment = environment
            environment[ProcessName.variable] = "\(slot + 1)"
            // The supervisor speaks for all. That there is a watchdog they have to know, who must tell how they do.
            environment[ServiceManager.socketVariable] = nil
            environment[ServiceManager.watchdogProcessVariable] = nil
            let process = try ChildProcess(program, arguments, environment: environment)
            state.children[process.pid] = Child(process: process, slot: slot, replaces: replacing)
            probes?.started(process.pid, slot: slot)
            listen(to: process)
        } catch {
            output.talk("\(app.name): \(error)")
            restart(slot, after: .notReady)
        }
    }

    private func restart(_ slot: Int, after end: Restarts.End) {
        let delay = state.restarts[slot].delay(after: end)
        guard delay > .zero else { return start(slot) }
        let what =
            if case .notReady = end { "did not come to work" } else {
                "has failed soon after its start, not for the first time"
            }
        output.talk("\(app.name): process \(slot + 1) \(what); trying again in \(delay)")
        queue.asyncAfter(deadline: .now() + delay.seconds) { [self] in start(slot) }
    }

    private func listen(to process: ChildProcess) {
        let source = DispatchSource.makeReadSource(fileDescriptor: process.reports, queue: queue)
        source.setEventHandler { [unowned self] in read(process) }
        source.setCancelHandler { process.release() }
        source.resume()
        state.readers[process.pid] = source
    }

    /// Takes what a child has reported. Returns whether there may be more already.
    @discardableResult
    private func read(_ process: ChildProcess) -> Bool {
        var buffer = [UInt8](repeating: 0, count: probes == nil ? 1024 : 65_536)
        let count = systemRead(process.reports, &buffer, buffer.count)
        guard count > 0 else {
            if count == 0 || errno != EAGAIN && errno != EINTR { stopListening(to: process) }
            return false
        }
        state.children[process.pid]?.reports += buffer[..<count]
        while let end = state.children[process.pid]?.reports.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: state.children[process.pid]?.reports[..<end] ?? [], as: UTF8.self)
            state.children[process.pid]?.reports.removeSubrange(...end)
            heard(line, from: process.pid)
        }
        return true
    }

    private func stopListening(to process: ChildProcess) {
        state.readers.removeValue(forKey: process.pid)?.cancel()
    }

    private func heard(_ line: String, from pid: pid_t) {
        if line.hasPrefix("identity ") {
            state.children[pid]?.identity = String(line.dropFirst("identity ".count))
        } else if line.hasPrefix("figures ") {
            probes?.heard(line.dropFirst("figures ".count), from: pid)
        } else if line == "ready" {
            state.children[pid]?.readySince = .now
            if let old = state.children[pid]?.replaces {
                state.children[old]?.process.signal(SIGTERM)
            }
            tellReady()
        } else if line == "overrun" {
            state.children[pid]?.isOverrun = true
        } else if line == "shutdown" {
            state.children[pid]?.isDismissed = true
        }
    }

    private func tellReady() {
        guard !state.wasReady, state.children.count == count,
            state.children.values.allSatisfy({ $0.readySince != nil })
        else { return }
        state.wasReady = true
        manager?.tell("READY=1", "STATUS=\(count) processes take work")
    }

    private func reap() {
        var status: Int32 = 0
        // Everybody's: as the first process of a container this one inherits orphans, too.
        while case let pid = waitpid(-1, &status, WNOHANG), pid > 0 {
            guard let child = state.children[pid] else { continue }
            // The last reports may still be in the pipe, and its other end in a program that the child has left behind.
            while state.readers[pid] != nil, read(child.process) {}
            stopListening(to: child.process)
            ended(state.children[pid] ?? child, status)
        }
    }

    private func ended(_ child: Child, _ status: Int32) {
        state.children[child.process.pid] = nil
        probes?.ended(child.process.pid)
        let exit = status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
        let how = exit < 0 ? "was ended by signal \(-exit)" : "ended with status \(exit)"
        if let identity = child.identity, exit != 0 {
            giveBack(identity, because: "process \(child.process.pid) \(how)")
        }
        let successors = state.children.filter { $0.value.replaces == child.process.pid }.keys
        let isReplaced = !successors.isEmpty
        // They are processes like others from now on; and the number may come again.
        for pid in successors { state.children[pid]?.replaces = nil }
        if exit != 0 {
            output.talk("\(app.name): process \(child.slot + 1) (pid \(child.process.pid)) \(how)")
        }
        if let old = child.replaces, child.readySince == nil, state.children[old] != nil {
            // A successor that cannot start must not cost the one that works.
            output.talk("\(app.name): process \(child.slot + 1) stays as it is: its successor did not start")
        } else if child.isDismissed, !isReplaced {
            state.dismissed += 1
        } else if !isReplaced {
            restart(child.slot, after: child.end(withStatus: exit))
        }
        renewNext()
        endIfDone()
    }

    private func giveBack(_ identity: String, because cause: String) {
        state.lost += 1
        Task {
            do {
                try await app.operator.declareLost(identity, because: cause)
            } catch {
                // The other processes find its lease lapsed.
                output.talk("\(app.name): what \(identity) held will be given back when its lease is over: \(error)")
            }
            queue.async { [self] in
                state.lost -= 1
                endIfDone()
            }
        }
    }

    // MARK: Orders

    private func renew() {
        let leaving = Set(state.children.values.compactMap(\.replaces))
        state.outdated = state.children.keys.filter { !leaving.contains($0) }
        output.talk("\(app.name): replacing \(state.outdated.count) processes, one by one")
        renewNext()
    }

    private func renewNext() {
        guard state.stops == 0,
            !state.children.values.contains(where: { child in
                child.replaces.map { state.children[$0] != nil } ?? false
            })
        else { return }
        while let pid = state.outdated.popLast() {
            guard let child = state.children[pid] else { continue }
            return start(child.slot, replacing: pid)
        }
    }

    private func stop(_ number: Int32) {
        state.stops += 1
        for child in state.children.values { child.process.signal(number == SIGINT ? SIGTERM : number) }
        if state.stops == 1 {
            manager?.tell("STOPPING=1")
            // Children end themselves after their grace; one that cannot is ended here.
            queue.asyncAfter(deadline: .now() + grace.seconds + 10) { [self] in
                for child in state.children.values { child.process.signal(SIGKILL) }
            }
        }
        endIfDone()
    }

    private func endIfDone() {
        guard state.stops > 0 || state.dismissed == count, state.children.isEmpty, state.lost == 0 else { return }
        for source in state.sources { source.cancel() }
        state.sources = []
        state.ended?.resume()
        state.ended = nil
    }

    /// The file of the program that runs.
    private static var ownPath: String {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return CommandLine.arguments[0] }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

private func systemRead(_ descriptor: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
    read(descriptor, &buffer, count)
}
