// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A worker process's own file of the ledger.
///
/// One write for each line, straight to the file: what was written stays, however the process ends.
public final class LedgerWriter: Sendable {
    private let file: Int32

    /// Opens the file in `directory`, and notes from now on, 20 times a second, that the process lives: a run without an
    /// end ended when its process did.
    public init(in directory: String) {
        file = open("\(directory)/ledger.\(getpid())", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o644)
        Thread.detachNewThread { [self] in
            while true {
                write(LedgerLine(.pulse, id: "", run: ""))
                usleep(50_000)
            }
        }
    }

    /// Notes the start of a run, what comes of `body`, and when.
    public func run<Output>(_ id: String, _ body: () async throws -> Output) async throws -> Output {
        let run = UUID().uuidString
        write(LedgerLine(.start, id: id, run: run))
        do {
            let output = try await body()
            write(LedgerLine(.finish, id: id, run: run))
            return output
        } catch {
            write(LedgerLine(error is CancellationError ? .cancelled : .failed, id: id, run: run))
            throw error
        }
    }

    private func write(_ line: LedgerLine) {
        let bytes = Array(line.text.utf8)
        _ = Foundation.write(file, bytes, bytes.count)
    }
}
