// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import TestServers

/// What the kernel says of a process. There is nothing to read on systems without `/proc`, and then nothing is found amiss.
struct ProcessFigures {
    /// Memory in use, in bytes.
    var resident = 0
    /// The most memory that was ever in use, in bytes.
    var peak = 0
    /// Processor time spent so far, in seconds.
    var processorTime = 0.0

    init(of id: Int32) throws {
        guard FileManager.default.fileExists(atPath: "/proc/self/stat") else { return }
        for line in try String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8).split(separator: "\n") {
            let words = line.split { $0 == "\t" || $0 == " " || $0 == ":" }
            guard words.count > 1, let kilobytes = Int(words[1]) else { continue }
            if words[0] == "VmRSS" { resident = kilobytes << 10 }
            if words[0] == "VmHWM" { peak = kilobytes << 10 }
        }
        // Behind the program's name, which stands in parentheses and may hold anything.
        let stat = try String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)
        guard let fields = stat.split(separator: ")").last?.split(separator: " "), fields.count > 12,
            let user = Double(fields[11]), let system = Double(fields[12])
        else { throw TestServerError("cannot read /proc/\(id)/stat: \(stat)") }
        processorTime = (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    /// Waits for a second in which the process does next to nothing: one that spins has none.
    static func calm(of id: Int32, within limit: Duration = .seconds(15)) async throws {
        let start = ContinuousClock.now
        while true {
            let before = try ProcessFigures(of: id)
            try await Task.sleep(for: .seconds(1))
            let spent = try ProcessFigures(of: id).processorTime - before.processorTime
            if spent <= 0.05 { return }
            guard ContinuousClock.now - start < limit else {
                throw TestServerError("the process \(id) spends \(spent) s of each second with nothing to do")
            }
        }
    }
}
