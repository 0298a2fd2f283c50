// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Chard

/// Every case that a real worker was tried with, and what becomes of it here. Nothing may crash; where Celery loses or
/// dies and the message can be understood, it runs.
@Suite("Odd messages that a real worker was tried with")
struct WorkerAcceptanceTests {
    enum Outcome: Sendable, Equatable {
        case runs([JSON], [String: JSON])
        case fails(MessageError.Code, id: String?)
    }

    static let sum = Outcome.runs([2, 3], [:])

    static let outcomes: [(name: String, outcome: Outcome)] = [
        (
            "minimal accepted: headers {task,id}, properties {delivery_tag, body_encoding, delivery_info}, "
                + "body [args,kwargs,{}]", sum
        ),
        ("embed is null", sum),
        ("body has only [args, kwargs] (no embed)", .fails(.badBody, id: "ID")),
        ("kwargs null", .fails(.badBody, id: "ID")),
        ("args null", .fails(.badBody, id: "ID")),
        ("body is an object though headers.task present", .fails(.badBody, id: "ID")),
        ("no properties.delivery_info", sum),
        ("empty delivery_info", sum),
        ("no body_encoding, body raw JSON text", sum),
        ("body_encoding \"utf-8\", body raw JSON text", sum),
        ("body_encoding null, body raw JSON text", sum),
        ("no content-encoding", sum),
        ("no content-type", .fails(.unsupportedContentType, id: "ID")),
        ("pickle content-type (not in accept_content)", .fails(.unsupportedContentType, id: "ID")),
        ("yaml content-type", .fails(.unsupportedContentType, id: "ID")),
        ("raw content-type application/data", .fails(.unsupportedContentType, id: "ID")),
        ("no headers.id", .fails(.missingID, id: nil)),
        ("no headers.task, body is a list", .fails(.notATask, id: "ID")),
        ("unknown task", sum),
        ("invalid eta string", .fails(.badDate, id: "ID")),
        ("eta is a number", .fails(.badDate, id: "ID")),
        ("invalid expires", .fails(.badDate, id: "ID")),
        ("eta with Z suffix", sum),
        ("eta ms precision and offset", sum),
        ("eta with a space", sum),
        ("eta in year 9999", sum),
        ("timelimit null", sum),
        ("timelimit has 1 element", sum),
        ("retries null", sum),
        ("lang swift, null reprs", sum),
        ("priority a string", sum),
        ("body not base64", .fails(.badBody, id: "ID")),
        ("body not JSON", .fails(.badBody, id: "ID")),
        ("body not UTF-8", .fails(.badBody, id: "ID")),
        (
            "unknown __type__ in args",
            .runs(["__type__ unknown", ["__type__": "nope", "__value__": 1]], [:])
        ),
        ("compression zlib stream", sum),
        ("compression header, but a real gzip stream", .fails(.badBody, id: "ID")),
        ("unknown compression", .fails(.unsupportedCompression, id: "ID")),
        ("protocol 1 minimal: {task,id,args,kwargs}, headers {}", sum),
        ("protocol 1 without args/kwargs", .runs([], [:])),
        ("protocol 1 without id", .fails(.missingID, id: nil)),
        ("object without task", .fails(.notATask, id: nil)),
        ("headers null", .fails(.notATask, id: nil)),
        ("no delivery_tag", sum),
        ("no properties", .fails(.badBody, id: "ID")),
        ("queue entry is not JSON", .fails(.malformed, id: nil)),
        ("queue entry is a JSON list", .fails(.malformed, id: nil)),
    ]

    @Test("all cases are here")
    func complete() throws {
        let cases = try #require(try Fixture("worker-acceptance").json["cases"]?.array)
        #expect(cases.compactMap { $0["case"]?.string } == Self.outcomes.map(\.name))
        #expect(cases.count == 47)
    }

    @Test("come out as expected", arguments: outcomes.indices)
    func outcome(_ index: Int) throws {
        let fixture = try Fixture("worker-acceptance").json
        let payload = try payload(
            #require(fixture["cases"]?[index]), base: #require(fixture["base_envelope"]))
        let expected = Self.outcomes[index]
        #expect(outcome(of: payload) == expected.outcome, "\(expected.name)")
    }

    private func outcome(of payload: [UInt8]) -> Outcome {
        do {
            let message = try TaskMessage(decoding: payload)
            let arguments = try? message.decodeBody().arguments()
            if let arguments { return .runs(arguments.positional, arguments.keywords) }
            _ = try message.decodeBody()
            return .runs(["arguments that are not JSON"], [:])
        } catch {
            return .fails(error.code, id: error.partialID)
        }
    }

    private func payload(_ test: JSON, base: JSON) throws -> [UInt8] {
        if let raw = test["raw"]?.string { return Array(raw.utf8) }
        var envelope = base
        for change in test["changes"]?.array ?? [] {
            if let path = change["set"]?.array?.compactMap(\.string) {
                envelope.change(path[...], to: change["value"])
            } else {
                envelope.change(try #require(change["remove"]?.array).compactMap(\.string)[...], to: nil)
            }
        }
        return envelope.encoded()
    }
}

extension JSON {
    fileprivate mutating func change(_ path: ArraySlice<String>, to value: JSON?) {
        guard let name = path.first else { return }
        if path.count == 1 {
            self[name] = value
        } else {
            self[name]?.change(path.dropFirst(), to: value)
        }
    }
}
