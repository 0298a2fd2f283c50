// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The option of what runs on and on, unlike a command, which says at once that its broker cannot be reached.
struct BrokerWait: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long to wait at the start for a broker that cannot be reached; by default, as long as it takes.",
            valueName: "seconds"))
    var startupWait: Seconds?

    func duration(_ settings: SettingsReader) throws -> Duration? {
        try settings.seconds(.startupWait, flag: startupWait)
    }
}

extension SettingsReader {
    /// A flag's time, or that of a setting.
    func seconds(_ setting: Setting, flag: Seconds?) throws -> Duration? {
        if let flag { return flag.duration }
        return try number(setting).map { .seconds($0.value) }
    }
}
