// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation

switch Array(CommandLine.arguments.dropFirst()) {
case []:
    do {
        try await Tour(narrator: Narrator(terminal: .standard())).run()
    } catch {
        Terminal.complain("\ntour: ended early: \(error)\n")
        exit(1)
    }
case ["--help"], ["-h"]:
    Terminal.standard().write(Tour.help)
case let words where words.count == 3 && words[0] == "worker":
    do {
        try await TourWorker(file: words[1], node: words[2]).run()
    } catch {
        Terminal.complain("tour: the worker \(words[2]) ended early: \(error)\n")
        exit(1)
    }
default:
    Terminal.complain("tour: it takes no arguments but --help\n")
    exit(2)
}
