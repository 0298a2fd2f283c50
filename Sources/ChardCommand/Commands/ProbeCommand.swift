// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `probe`: asks a program that runs whether it lives.
struct ProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe",
        abstract: "Asks whether a worker or beat lives or is ready, as a container's health check.",
        discussion: """
            Asks at the address where the worker or beat of this machine answers: --http, or CHARD_HTTP. Ends with 0 where \
            that is answered well, and with 1 where it is not, or not in time.
            """)

    /// Longer than a worker takes for its own answer.
    private static let patience = Duration.seconds(7)

    @Argument(
        help: ArgumentHelp(
            "live; ready; or the URL of something else that answers in plain HTTP.", valueName: "live|ready|url"))
    var what = "live"

    @Option(help: ArgumentHelp("Where the worker or beat answers, as its own --http says.", valueName: "host:port"))
    var http: String?

    @Option(help: ArgumentHelp("How long to wait for the answer; by default, 7.", valueName: "seconds"))
    var within: Seconds?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession(allowsMemory: true) { session in
            let target = try target(session.settings)
            let answer = try await ProbeClient.get(target, within: within?.duration ?? Self.patience)
            let text = answer.text.split(separator: "\n").first.map { String($0).printable() } ?? ""
            guard (200..<300).contains(answer.status) else {
                throw CommandError("\(target): \(answer.status) \(text)")
            }
            try session.answer(["url": .string("\(target)"), "status": .integer(answer.status)], text)
        }
    }

    private func target(_ settings: SettingsReader) throws -> ProbeTarget {
        guard what == "live" || what == "ready" else {
            guard let target = ProbeTarget(url: what) else {
                throw CommandError(
                    "'\(what)' is neither live, ready nor a URL such as http://127.0.0.1:8080/", status: .misused)
            }
            return target
        }
        guard let address = try settings.probeAddress(flag: http) else {
            throw CommandError(
                "nobody says where to ask: start the worker with --http or CHARD_HTTP, and say the same here",
                status: .misused)
        }
        return ProbeTarget("/\(what)", at: address)
    }
}
