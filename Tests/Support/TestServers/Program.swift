// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

/// One of the package's programs, or any other, as a process of its own: what it prints, how it ends, signals for it.
///
/// A process that is still there when its value goes away is killed.
public final class Program: Sendable {
    /// The process's id.
    public var id: Int32 { child.id }

    private let directory: String
    private let child: Child

    /// Starts a program: a name without a slash is one of this package's own products.
    public init(_ name: String, _ arguments: [String], environment: [String: String] = [:]) throws {
        directory = FileManager.default.temporaryDirectory.path + "/program-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        child = try Child(
            name.contains("/") ? name : Program.path(of: name), arguments, environment: environment,
            output: directory + "/out", errors: directory + "/err")
    }

    deinit {
        signal(SIGKILL)
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Where a product of this package was built: beside the test bundle.
    public static func path(of product: String) -> String {
        URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/" + product
    }

    /// The Python that has Celery, made by `Scripts/setup --python`.
    public static func python() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..")
        let python =
            ProcessInfo.processInfo.environment["CHARD_TEST_PYTHON"]
            ?? root.standardizedFileURL.path + "/.venv/bin/python"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw TestServerError("no Python with Celery at \(python); run Scripts/setup --python")
        }
        return python
    }

    /// Starts the Python peer's driver with one of its subcommands.
    public static func peer(
        _ arguments: [String], redis: String, environment: [String: String] = [:]
    ) throws -> Program {
        let driver = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../Interop/drive.py").standardizedFileURL.path
        return try Program(
            try python(), [driver] + arguments, environment: environment.merging(["BROKER_URL": redis]) { $1 })
    }

    /// What it has printed so far.
    public var output: String { (try? String(contentsOfFile: directory + "/out", encoding: .utf8)) ?? "" }
    /// What it has printed on standard error so far.
    public var talk: String { (try? String(contentsOfFile: directory + "/err", encoding: .utf8)) ?? "" }

    /// Its exit status, or the number of the signal that ended it, negative; `nil` while it runs.
    public var status: Int32? { child.status }

    /// Waits until it has said something on standard error.
    public func says(_ text: String, within limit: Duration = .seconds(60)) async throws {
        do {
            try await eventually("the program says \(text)", within: limit) {
                if let status, !talk.contains(text) { throw TestServerError("it ended with \(status)") }
                return talk.contains(text)
            }
        } catch {
            throw TestServerError("\(error); it said:\n\(talk)\n\(output)")
        }
    }

    /// Waits for its end, and returns its exit status.
    @discardableResult
    public func finished(within limit: Duration = .seconds(60)) async throws -> Int32 {
        do {
            try await eventually("the program ends", within: limit) { status != nil }
        } catch {
            throw TestServerError("\(error); it said:\n\(talk)\n\(output)")
        }
        return status ?? -1
    }

    /// Sends a signal, if it still runs.
    public func signal(_ number: Int32) {
        child.signal(number)
    }
}
