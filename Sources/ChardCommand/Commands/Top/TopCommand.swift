// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Chard
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `top`: what goes on, in a terminal.
struct TopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Shows what goes on: alarms, queues, the last hour and what runs, live.",
        discussion: """
            On a terminal it is drawn anew every two seconds, until Ctrl-C; elsewhere once. With --json there is one document in a line \
            for each look. What is over is known from the broker's history, by Swift's workers; Python's show where they answer \
            remote control.
            """)

    @Flag(help: "Looks once, and ends.")
    var once = false

    @Option(
        help: ArgumentHelp("So many seconds between two looks; by default, 2.", valueName: "seconds"),
        transform: { text in
            guard let seconds = Seconds(argument: text), seconds.duration >= .milliseconds(100) else {
                throw ValidationError("it is no number of seconds, at least 0.1")
            }
            return seconds
        })
    var every: Seconds?

    @OptionGroup(title: "Common options")
    var common: CommonOptions

    func run() async throws {
        try await common.withSession { session in
            let scout = TopScout(session.app)
            let isTerminal = isatty(1) == 1
            let goesOn = !once && (isTerminal || session.isJSON)
            _ = try await session.reachedOperator()
            while true {
                do {
                    // Whoever looks once waits for all of it.
                    let view = try await scout.look(patience: goesOn ? .milliseconds(200) : .seconds(60))
                    if session.isJSON {
                        try session.output.answer(view.document)
                    } else {
                        let size = isTerminal && goesOn ? Self.terminal : nil
                        let text = view.text(size)
                        try session.output.answer(size == nil ? text : Self.clear + text)
                    }
                } catch let error as BrokerError where error.isRetryable && goesOn {
                    session.output.talk("\(isTerminal ? Self.clear : "")The broker is away: \(error)")
                }
                guard goesOn else { return }
                try await Task.sleep(for: every?.duration ?? .seconds(2))
            }
        }
    }

    /// To the upper left corner, and nothing below.
    private static let clear = "\u{1B}[H\u{1B}[J"

    /// How many lines and columns there are.
    private static var terminal: (lines: Int, columns: Int) {
        var size = winsize()
        guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 4, size.ws_col > 20 else { return (40, 120) }
        return (Int(size.ws_row), Int(size.ws_col))
    }
}
