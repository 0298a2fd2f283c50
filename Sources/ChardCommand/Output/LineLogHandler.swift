// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// Writes each log entry as one line to standard error: time, level, label, message, metadata.
struct LineLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String

    private static let level = Mutex<Logger.Level?>(nil)

    /// Makes this the program's log handler, at `level`. A later call changes the level of loggers made after it.
    static func bootstrap(_ newLevel: Logger.Level) {
        let isFirst = level.withLock { level in
            defer { level = newLevel }
            return level == nil
        }
        guard isFirst else { return }
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(
                    metadataProvider: provider, logLevel: level.withLock { $0 ?? .info }, label: label)
            }, metadataProvider: nil)
    }

    init(metadataProvider: Logger.MetadataProvider?, logLevel: Logger.Level, label: String) {
        self.metadataProvider = metadataProvider
        self.logLevel = logLevel
        self.label = label
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        Output.standard.talk(line(for: event, at: Date()))
    }

    func line(for event: LogEvent, at time: Date) -> String {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error { all["error"] = "\(error)" }
        var line = "\(Timestamp.text(for: time)) \(event.level) \(label): \("\(event.message)".printable())"
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            let text = "\(value)".printable()
            line += text.contains(" ") ? " \(key)=\"\(text)\"" : " \(key)=\(text)"
        }
        return line
    }
}

extension Logger.Level {
    /// Reads a level's name as people write it.
    init(naming name: String, from origin: String) throws(CommandError) {
        guard let level = Self(rawValue: name.lowercased()) else {
            let hint = Suggestion.hint(for: name, among: Self.allCases.map(\.rawValue))
            throw CommandError("\(origin): there is no log level \"\(name)\"\(hint)", status: .misused)
        }
        self = level
    }
}
