// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging
import Synchronization

/// Writes each log entry as one line to standard error.
struct LineLogHandler: LogHandler {
    /// What holds for all of a program's lines.
    struct Style: Sendable, Hashable {
        var level = Logger.Level.info
        var format = LogFormat.text
        var isColoured = false
    }

    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level
    private let label: String
    private let style: Style

    private static let style = Mutex<Style?>(nil)

    /// Makes this the program's log handler. A later call changes the style of loggers made after it.
    static func bootstrap(_ newStyle: Style) {
        let isFirst = style.withLock { style in
            defer { style = newStyle }
            return style == nil
        }
        guard isFirst else { return }
        LoggingSystem.bootstrap(
            { label, provider in
                LineLogHandler(metadataProvider: provider, style: style.withLock { $0 ?? Style() }, label: label)
            }, metadataProvider: nil)
    }

    init(metadataProvider: Logger.MetadataProvider?, style: Style, label: String) {
        self.metadataProvider = metadataProvider
        self.style = style
        self.label = label
        logLevel = style.level
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
        let entry = LogEntry(
            time: time, level: event.level, label: label, message: "\(event.message)", metadata: all)
        return style.format.line(entry, isColoured: style.isColoured)
    }
}
