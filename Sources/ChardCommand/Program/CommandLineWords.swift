// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is put right in a command line before it is parsed.
enum CommandLineWords {
    private static let withValue: Set = ["--broker", "--results", "--key-prefix", "--config", "--log-level", "-l"]
    private static let commandsThatWait: Set = ["send", "result"]

    /// The first argument whose bytes are not UTF-8, as the shell has handed it over; 0 is the program's name.
    static var brokenArgument: Int? {
        (0..<Int(CommandLine.argc)).first { index in
            guard let bytes = CommandLine.unsafeArgv[index] else { return false }
            return String(validatingCString: bytes) == nil
        }
    }

    /// Moves common options from before the command's name to its end, and makes `--wait` and `--wait 5` unambiguous.
    static func tidied(_ words: [String]) -> [String] {
        let words = commonOptionsLast(words)
        guard let command = words.first, commandsThatWait.contains(command) else { return words }
        return waitWithValue(words)
    }

    private static func commonOptionsLast(_ words: [String]) -> [String] {
        var end = 0
        while end < words.count {
            let word = words[end]
            if withValue.contains(word) {
                end += 2
            } else if word == "--json" || withValue.contains(where: { $0.hasPrefix("--") && word.hasPrefix($0 + "=") })
            {
                end += 1
            } else {
                break
            }
        }
        // With no command behind them there is nothing to move them to.
        guard end > 0, end < words.count else { return words }
        var rest = Array(words[end...])
        // What stands behind "--" is no option any more.
        rest.insert(contentsOf: words[..<end], at: rest.firstIndex(of: "--") ?? rest.endIndex)
        return rest
    }

    /// A number behind `--wait` is its value; anything else is not, be it the task's name. ArgumentParser's own options
    /// without value would take that for the value, and read nonsense as no value.
    private static func waitWithValue(_ words: [String]) -> [String] {
        var result: [String] = []
        var index = 0
        while index < words.count {
            let word = words[index]
            index += 1
            if word == "--" {
                return result + words[(index - 1)...]
            }
            guard word == "--wait" else {
                result.append(word)
                continue
            }
            if index < words.count, Double(words[index]) != nil {
                result.append("--wait=\(words[index])")
                index += 1
            } else {
                result.append("--wait=\(WaitLimit.forever)")
            }
        }
        return result
    }
}
