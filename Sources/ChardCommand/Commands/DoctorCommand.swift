// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// `doctor`: what about the broker endangers tasks.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Looks for what endangers tasks, and says how to mend it.",
        discussion: "Ends with 1 if tasks can be lost in normal operation.")

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let broker = try session.app.broker
            guard let diagnosable = broker as? any DiagnosableBroker else {
                throw CommandError("there is nothing to look at in \(broker.location)", status: .misused)
            }
            try await diagnosable.connect()
            let findings = try await diagnosable.diagnose()
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
            if findings.contains(where: { $0.severity == .danger }) { throw ExitCode(CommandStatus.failed.rawValue) }
        }
    }
}
