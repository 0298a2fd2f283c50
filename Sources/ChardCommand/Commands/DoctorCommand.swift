// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `doctor`: what about the broker endangers tasks.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks for what endangers tasks, and says how to mend it.",
        discussion: "Ends with 1 if tasks can be lost in normal operation; with --strict, also for every warning.")

    @Flag(help: "Ends with 1 for a warning, too.")
    var strict = false

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let findings = try await session.reachedOperator().diagnose() + [OpenFiles.finding]
            if session.isJSON {
                try session.output.answer(JSON(encoding: findings))
            } else {
                for finding in findings {
                    let mark =
                        finding.severity == .fine ? "ok     " : finding.severity == .warning ? "warning" : "DANGER "
                    try session.output.answer("\(mark)  \(finding.subject): \(finding.text.printable())")
                    if !finding.advice.isEmpty { try session.output.answer("         -> \(finding.advice)") }
                }
            }
            if findings.contains(where: { $0.severity == .danger || strict && $0.severity == .warning }) {
                throw ExitCode(CommandStatus.failed.rawValue)
            }
        }
    }
}
