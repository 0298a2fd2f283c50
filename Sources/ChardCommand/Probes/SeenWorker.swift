// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// How the `worker` command's worker is seen from outside: by itself, through its supervisor, or not at all.
struct SeenWorker {
    private let server: ProbeServer?
    private let reporter: ProcessReporter?

    /// - Parameters:
    ///   - registry: Where its metrics are; `nil` where nobody has asked for them.
    ///   - report: Tells its supervisor, if it has one, which answers for it.
    init(
        _ worker: Worker, _ session: Session, _ registry: MetricRegistry?, at address: ProbeAddress?,
        report: (@Sendable ([UInt8]) -> Void)?
    ) async throws {
        guard let registry else {
            (server, reporter) = (nil, nil)
            return
        }
        if let report {
            server = nil
            reporter = ProcessReporter(worker, of: session.app, registry, tell: report)
        } else {
            server = try await ProbeServer.start(at: address, WorkerProbes(worker, of: session.app, registry), session)
            reporter = nil
        }
    }

    /// Runs `body`, and answers until it has ended.
    func whileAnswering(_ body: () async throws -> Void) async throws {
        do {
            try await body()
        } catch {
            await end()
            throw error
        }
        await end()
    }

    private func end() async {
        reporter?.end()
        await server?.close()
    }
}

extension ProbeServer {
    /// A server that has said where it listens; `nil` where none was asked for.
    static func start(
        at address: ProbeAddress?, _ source: (any ProbeSource)?, _ session: Session
    ) async throws -> ProbeServer? {
        guard let address, let source else { return nil }
        let server = try await ProbeServer(at: address, source)
        session.output.talk("probes and metrics are at http://\(server.address)")
        session.announce("http", ["address": .string(server.address)])
        return server
    }
}
