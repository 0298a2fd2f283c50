// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CZlib
import Chard
import ChardRedis
import TestServers
import Testing

/// The worker's limits are 64 MiB for a message and for its body, and 256 levels.
@Suite("Messages that are too large or too deep for a worker process", .serialized, .timeLimit(.minutes(4)))
struct OversizeTests {
    static let large = JSON.string(String(repeating: "x", count: 20_000_000))

    @Test("nested a thousand levels and more, wherever it stands: kept, and a failure under its id")
    func deep() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "4")
            var payloads: [[UInt8]] = []
            var ids: [String] = []
            let thousand = (0..<1_000).reduce(JSON.null) { inner, _ in [inner] }
            let places: [[String]] = [
                ["further"], ["headers"], ["headers", "further"], ["headers", "task"], ["headers", "stamps"],
                ["properties", "further"], ["properties", "delivery_info", "further"], ["properties", "priority"],
            ]
            for path in places {
                var message = RawMessage("interop.add", [2, 3])
                message.envelope.change(path[...], to: thousand)
                payloads.append(message.payload)
                if path != ["headers"] { ids.append(message.id) }
            }
            for body in [
                [[thousand], [:], [:]], [[], ["x": thousand], [:]], [[], [:], ["chord": thousand]], thousand,
            ]
                as [JSON]
            {
                var message = RawMessage("interop.add")
                message.body = body.encoded()
                payloads.append(message.payload)
                ids.append(message.id)
            }
            for open in ["[", "{\"a\":", "[{\"a\":["] {
                let bottomless = Array(String(repeating: open, count: 100_000).utf8)
                var message = RawMessage("interop.add")
                payloads.append(message.payload(replacing: "\"base64\"", with: bottomless))
                message.body = bottomless
                payloads.append(message.payload)
                ids.append(message.id)
            }
            let ends = try await bench.feed(payloads, to: worker)
            #expect(ends.tally == [.letter(.tooLarge): payloads.count])
            for id in ids { #expect(try await bench.broker.status(of: id)?.state == .failure) }
            try await staysModest(worker, peak: 100 << 20)
        }
    }

    @Test("strings of 20 MB: within the limits, so they run and come back whole")
    func large() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            let echo = RawMessage("interop.echo", [Self.large])
            let add = RawMessage("interop.add", [Self.large, 1])
            let unknown = RawMessage("x" + String(repeating: "y", count: 20_000_000))
            var header = RawMessage("interop.add", [2, 3])
            header.envelope.change(["headers", "further"], to: Self.large)
            try await bench.push([echo.payload, add.payload, unknown.payload, header.payload])
            try await bench.isThrough(worker, within: .seconds(120))
            #expect(try await bench.broker.status(of: echo.id)?.result == ["args": [Self.large], "kwargs": [:]])
            #expect(try await bench.broker.status(of: add.id)?.error?.type == "TypeError")
            #expect(try await bench.broker.status(of: unknown.id)?.error?.type == "NotRegistered")
            #expect(try await bench.broker.status(of: header.id)?.result == 5)
            try await staysModest(worker, peak: 900 << 20)
        }
    }

    @Test("20 MB of noise, 64 MiB and a byte, and a body that would unfold to 256 MiB: refused")
    func refused() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            let noise = [UInt8](repeating: 0xAB, count: 20_000_000)
            let tooLong = RawMessage("interop.add", [2, 3])
            let payload = tooLong.payload
            let filled = payload.dropLast() + [UInt8](repeating: 0x20, count: (64 << 20) + 1 - payload.count) + [0x7D]
            var bomb = RawMessage("interop.echo")
            bomb.envelope.change(["headers", "compression"], to: "application/x-gzip")
            bomb.body = try deflated(zeros: 256 << 20)
            try await bench.push([noise, Array(filled), bomb.payload])
            try await bench.isThrough(worker, within: .seconds(150))
            for id in [tooLong.id, bomb.id] {
                #expect(try await bench.broker.deadLetter(id)?.reason == .tooLarge)
                #expect(try await bench.broker.status(of: id)?.state == .failure)
            }
            let kept = try await bench.broker.deadLetters(in: "celery", limit: 10)
            #expect(kept.contains { $0.payload == noise && $0.reason == .malformed })
            #expect(kept.contains { $0.payload == Array(filled) })
            #expect(kept.count == 3)
            let listed = try await bench.chard("dead", "--json").json.array ?? []
            #expect(Set(listed.map { $0["size"] }).isSuperset(of: [20_000_000, .integer((64 << 20) + 1)]), "\(listed)")
            try await staysModest(worker, peak: 1200 << 20)
        }
    }

    @Test("100 MB that wait for a worker, and 100 MB that come to an idle one: put aside without taking up its memory")
    func unseen() async throws {
        try await ProcessBench.with { bench in
            let waiting = TaskID.random()
            let coming = TaskID.random()
            try await bench.push([huge(waiting)])
            let worker = try await bench.worker("-c", "2")
            try await bench.isThrough(worker, within: .seconds(60))
            try await bench.push([huge(coming)])
            try await eventually("it is put aside", within: .seconds(60)) {
                try await bench.broker.status(of: coming)?.state == .failure
            }
            try await bench.isThrough(worker, within: .seconds(60))
            for id in [waiting, coming] {
                let letter = try #require(try await bench.broker.deadLetter(id))
                #expect(letter.reason == .tooLarge)
                #expect(letter.task == "interop.add")
                #expect(letter.error.contains("1000001"), "\(letter.error)")
                #expect(letter.payload == huge(id))
            }
            let figures = try ProcessFigures(of: worker.id)
            #expect(figures.peak < 200 << 20, "\(figures)")
        }
    }

    private func huge(_ id: String) -> [UInt8] {
        Array("{\"body\": \"".utf8) + [UInt8](repeating: 0x41, count: 100_000_000)
            + Array("\", \"headers\": {\"id\": \"\(id)\", \"task\": \"interop.add\"}, \"properties\": {}}".utf8)
    }

    @Test(
        "results of 40 MB come, although Redis cuts off who is pushed so much; of over 64 MiB it is said that they are not kept"
    )
    func results() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "1")
            let large = try await bench.chard("send", "interop.big", "--args", "[40000000]", "--wait", "60")
            #expect(large.status == 0)
            #expect(large.lines.last?.utf8.count == 40_000_002)
            let tooLarge = try await bench.chard("send", "interop.big", "--args", "[70000000]", "--wait", "60")
            #expect(tooLarge.status == 1, "\(tooLarge)")
            #expect(tooLarge.talk.hasPrefix("chard: ResultTooLarge: "), "\(tooLarge)")
            try await bench.isThrough(worker)
            try await staysModest(worker, peak: 900 << 20)
        }
    }

    @Test("sixty messages of 7 MB after ten thousand small ones: not more at once than there is room for")
    func crowd() async throws {
        try await ProcessBench.with { bench in
            let worker = try await bench.worker("-c", "2")
            // Their pace makes the worker take hundreds at once.
            for _ in 0..<4 {
                try await bench.push((0..<2_500).map { RawMessage("interop.add", [.integer($0), 1]).payload })
                try await bench.isThrough(worker)
            }
            let text = JSON.string(String(repeating: "x", count: 5_000_000))
            let messages = (0..<60).map { RawMessage("interop.echo", [.integer($0), text]) }
            // At once, by way of another name: or the first would be taken before the last is there.
            try await bench.push(messages.map(\.payload), to: "prepared")
            _ = try await bench.redis(RedisCommand("RENAME", "prepared", "celery"))
            try await bench.isThrough(worker, within: .seconds(120))
            for (number, message) in messages.enumerated() where number % 10 == 0 {
                let result = try await bench.broker.status(of: message.id)?.result
                #expect(result?["args"]?[0] == .integer(number))
            }
            try await staysModest(worker, peak: 400 << 20)
        }
    }

    private func staysModest(_ worker: Program, peak: Int) async throws {
        try await ProcessFigures.calm(of: worker.id)
        let figures = try ProcessFigures(of: worker.id)
        #expect(figures.peak < peak, "\(figures)")
        #expect(figures.resident < 400 << 20, "\(figures)")
    }

    /// A zlib stream that is a thousandth of what it stands for.
    private func deflated(zeros count: Int) throws -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: count)
        var size = compressBound(uLong(count))
        var stream = [UInt8](repeating: 0, count: Int(size))
        let status = compress2(&stream, &size, zeros, uLong(count), 1)
        guard status == Z_OK else { throw TestServerError("zlib failed with \(status)") }
        return Array(stream.prefix(Int(size)))
    }
}
