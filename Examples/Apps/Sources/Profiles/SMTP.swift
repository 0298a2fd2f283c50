// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore
import NIOPosix

/// As much of SMTP as it takes to give one mail to a server nearby: no TLS, no password.
enum SMTP {
    static func send(_ message: String, from sender: String, to recipient: String, host: String, port: Int) async throws
    {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(10))
            .connect(host: host, port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        // A server that says nothing must not keep the task for ever.
        let timer = channel.channel.eventLoop.scheduleTask(in: .seconds(30)) { channel.channel.close(promise: nil) }
        defer { timer.cancel() }
        try await channel.executeThenClose { inbound, outbound in
            var talk = Talk(answers: inbound.makeAsyncIterator(), outbound: outbound)
            try await talk.expect(220)
            try await talk.say("EHLO profiles.invalid", expecting: 250)
            try await talk.say("MAIL FROM:<\(sender)>", expecting: 250)
            try await talk.say("RCPT TO:<\(recipient)>", expecting: 250)
            try await talk.say("DATA", expecting: 354)
            let lines = message.split(separator: "\r\n", omittingEmptySubsequences: false)
            let text = lines.map { $0.hasPrefix(".") ? "." + $0 : String($0) }.joined(separator: "\r\n")
            try await talk.say(text + "\r\n.", expecting: 250)
            try? await talk.say("QUIT", expecting: 221)
        }
    }

    private struct Talk {
        var answers: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
        let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        private var text: [UInt8] = []

        init(
            answers: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
        ) {
            self.answers = answers
            self.outbound = outbound
        }

        mutating func say(_ line: String, expecting code: Int) async throws {
            try await outbound.write(ByteBuffer(string: line + "\r\n"))
            try await expect(code)
        }

        /// Reads an answer: lines such as `250-...`, of which the last has a space behind its number.
        mutating func expect(_ code: Int) async throws {
            while true {
                while let end = text.firstIndex(of: 0x0A) {
                    let line = String(decoding: text[..<end], as: UTF8.self).filter { !$0.isNewline }
                    text.removeSubrange(...end)
                    guard line.count < 4 || !line.dropFirst(3).hasPrefix("-") else { continue }
                    guard Int(line.prefix(3)) == code else { throw MailError("the mail server answered: \(line)") }
                    return
                }
                guard let more = try await answers.next(), text.count < 65_536 else {
                    throw MailError("the mail server has closed the connection")
                }
                text += more.readableBytesView
            }
        }
    }
}
