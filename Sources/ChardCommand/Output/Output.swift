// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where a command speaks: the answer goes to standard output, the talk to standard error.
struct Output: Sendable {
    private let write: @Sendable (Stream, [UInt8]) -> Int32

    enum Stream: Int32, Sendable {
        case answer = 1
        case talk = 2
    }

    /// Standard output and standard error, unbuffered, so that nothing is lost in a pipe when the process ends.
    static let standard = Output { stream, bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { systemWrite(stream.rawValue, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return errno
            }
            rest = rest.dropFirst(count)
        }
        return 0
    }

    /// An output whose talk goes into the log, each as an entry: what is said in the course of days wants a time, and to look like
    /// what the tasks say.
    func logging(as label: String) -> Output {
        let logger = Logger(label: label)
        return Output { [write] stream, bytes in
            guard stream == .talk else { return write(stream, bytes) }
            let text = String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
            logger.notice("\(text)")
            return 0
        }
    }

    /// An output whose talk is log entries in JSON: where lines are read by a program, all of them are.
    var inJSON: Output {
        Output { [write] stream, bytes in
            guard stream == .talk else { return write(stream, bytes) }
            let text = String(decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
            let entry = LogEntry(time: Date(), level: .notice, label: "chard.command", message: text)
            return write(stream, Array((LogFormat.json.line(entry) + "\n").utf8))
        }
    }

    /// Whether standard error is a terminal that shows colours, and nobody has said that they are not wanted (`NO_COLOR`).
    static func showsColours(_ environment: [String: String]) -> Bool {
        environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
            && isatty(Stream.talk.rawValue) == 1
    }

    /// Makes an output that hands each text to `write`, which returns 0 or the system's error number.
    init(write: @escaping @Sendable (Stream, [UInt8]) -> Int32) {
        self.write = write
    }

    /// Prints a part of the answer and ends its line.
    func answer(_ text: String) throws(CommandError) {
        let error = write(.answer, line(text))
        guard error == 0 else {
            throw CommandError("standard output cannot be written: \(String(cString: strerror(error)))")
        }
    }

    /// Prints the answer as one JSON document in one line. Python's NaN and Infinity, which are no JSON, become null.
    func answer(_ json: JSON) throws(CommandError) {
        try answer(json.strict.description)
    }

    /// Says something about what goes on. There is nobody to tell if that fails.
    func talk(_ text: String) {
        _ = write(.talk, line(text))
    }

    private func line(_ text: String) -> [UInt8] {
        text.utf8.last == UInt8(ascii: "\n") ? Array(text.utf8) : Array(text.utf8) + [UInt8(ascii: "\n")]
    }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
    write(descriptor, bytes, count)
}
