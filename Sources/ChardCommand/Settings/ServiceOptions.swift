// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// The help of the options of what runs on and on, as `worker` and `beat` do. Not a group of options: ArgumentParser's questions about
/// each are five searches through the conformances of the whole program, at each start.
enum ServiceOptions {
    static var http: ArgumentHelp {
        ArgumentHelp(
            "Answers /live, /ready and /metrics there, in plain HTTP, for probes and Prometheus.",
            valueName: "host:port")
    }

    static var startupWait: ArgumentHelp {
        ArgumentHelp(
            "How long to wait at the start for a broker that cannot be reached; by default, as long as it takes.",
            valueName: "seconds")
    }
}

extension SettingsReader {
    /// Where probes are answered, by the flag `--http` or its setting.
    func probeAddress(flag http: String?) throws -> ProbeAddress? {
        guard let found = try text(.http, flag: http, named: "--http") else { return nil }
        guard let address = ProbeAddress(found.value) else {
            throw CommandError("\(found.origin) is not \(ProbeAddress.expected): \(found.value)", status: .misused)
        }
        return address
    }

    /// A flag's time, or that of a setting.
    func seconds(_ setting: Setting, flag: Seconds?) throws -> Duration? {
        if let flag { return flag.duration }
        return try number(setting).map { .seconds($0.value) }
    }
}
