// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser

/// Where to answer probes, for the commands that go on.
struct ProbeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Answers /live, /ready and /metrics there, in plain HTTP, for probes and Prometheus.",
            valueName: "host:port"))
    var http: String?

    func address(_ settings: SettingsReader) throws -> ProbeAddress? {
        guard let found = try settings.text(.http, flag: http, named: "--http") else { return nil }
        guard let address = ProbeAddress(found.value) else {
            throw CommandError("\(found.origin) is not \(ProbeAddress.expected): \(found.value)", status: .misused)
        }
        return address
    }
}
