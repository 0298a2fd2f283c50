// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

switch CommandLine.arguments.dropFirst() {
case []:
    do {
        try await Tour(narrator: Narrator(terminal: .standard())).run()
    } catch {
        Terminal.complain("\ntour: ended early: \(error)\n")
        exit(1)
    }
case ["--help"], ["-h"]:
    Terminal.standard().write(Tour.help)
default:
    Terminal.complain("tour: it takes no arguments but --help\n")
    exit(2)
}
