// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One client's connection through the proxy. Lives on the proxy's event loop.
final class ProxyLink {
    private let client: any Channel
    private let server: any Channel
    private let gates: () -> [ProxyGate]
    private var commands = RESPScanner()
    private var replies = RESPScanner()
    /// The commands whose replies are still to come.
    private var open: [[UInt8]] = []
    private let upward = Flow()
    private let downward = Flow()
    private var weather: FaultProxy.Weather

    /// One direction: what is held in it. A class, since a write may end in a channel's end, which comes back here.
    private final class Flow {
        var held: [[UInt8]] = []
        /// Held by a gate: for good.
        var isGated = false
        /// The sender has hung up.
        var hasEnded = false
    }

    init(client: any Channel, server: any Channel, weather: FaultProxy.Weather, gates: @escaping () -> [ProxyGate]) {
        self.client = client
        self.server = server
        self.weather = weather
        self.gates = gates
    }

    // MARK: What arrives

    func received(fromClient bytes: ByteBuffer) {
        commands.append(bytes)
        while let command = commands.next() {
            if let answer = weather.answer {
                write(Array("-\(answer)\r\n".utf8), to: client)
                continue
            }
            if let gate = gates().first(where: { $0.holds(command: command) }) {
                upward.isGated = true
                gate.note()
            }
            open.append(command)
            upward.held.append(command)
        }
        flow()
    }

    func received(fromServer bytes: ByteBuffer) {
        replies.append(bytes)
        while let reply = replies.next() {
            // What a subscription brings answers no command.
            if !open.isEmpty {
                let command = open.removeFirst()
                if let gate = gates().first(where: { $0.holds(reply: reply, to: command) }) {
                    downward.isGated = true
                    gate.note()
                }
            }
            downward.held.append(reply)
        }
        flow()
    }

    func clientHungUp() {
        upward.hasEnded = true
        flow()
    }

    func serverHungUp() {
        downward.hasEnded = true
        flow()
    }

    // MARK: What goes on

    func change(_ weather: FaultProxy.Weather) {
        self.weather = weather
        flow()
    }

    private func flow() {
        flow(upward, to: server, isHeld: weather.holdsUpward)
        flow(downward, to: client, isHeld: weather.holdsDownward)
    }

    private func flow(_ flow: Flow, to channel: any Channel, isHeld: Bool) {
        guard !isHeld else { return }
        if !flow.isGated {
            let bytes = flow.held
            flow.held = []
            for bytes in bytes { write(bytes, to: channel) }
        }
        // Whoever is gone is gone, also with what a gate still holds of it.
        if flow.hasEnded {
            if let delay = weather.delay {
                channel.eventLoop.assumeIsolated().scheduleTask(in: delay) { channel.close(promise: nil) }
            } else {
                channel.close(promise: nil)
            }
        }
    }

    private func write(_ bytes: [UInt8], to channel: any Channel) {
        guard let delay = weather.delay else {
            channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
            return
        }
        channel.eventLoop.assumeIsolated().scheduleTask(in: delay) {
            for byte in bytes { channel.writeAndFlush(ByteBuffer(bytes: [byte]), promise: nil) }
        }
    }

    /// Hangs up on both sides: with a FIN, or with a RST that also throws away what is on its way.
    func cut(resetting: Bool) {
        for channel in [client, server] {
            guard resetting, let options = channel as? any SocketOptionProvider else {
                channel.close(promise: nil)
                continue
            }
            options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete { _ in channel.close(promise: nil) }
        }
    }
}
