// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard

/// What a program was started with, as its commands find it: ArgumentParser makes commands itself, so nothing can be handed
/// to them.
struct Launch: Sendable {
    /// The launch whose command line is being run.
    @TaskLocal static var current: Launch?

    /// The app whose commands these are.
    let app: Chard
    /// What the program is called on the command line.
    let name: String
    /// The environment variables.
    let environment: [String: String]
    /// Where answers and talk go.
    let output: Output
    /// Whether `swift-log` is to be set up here.
    let bootstrapsLogging: Bool
    /// The program's version, where it has one of its own.
    var version: String?
    /// The program's own commands, and the one that runs when none is named.
    var own = CommandConfiguration()
}
