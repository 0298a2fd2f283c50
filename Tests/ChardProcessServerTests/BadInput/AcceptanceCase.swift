// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation

/// A message that Celery's own worker was tried with, and what is to become of it here.
struct AcceptanceCase: Sendable {
    let name: String
    let outcome: Outcome

    enum Outcome: Sendable, Equatable {
        case success(JSON)
        /// A FAILURE of this type is stored under the id; with a reason, the message is kept as well.
        case failure(String, DeadLetter.Reason?)
        /// Nobody knows under which id to say it: the message is kept.
        case letter(DeadLetter.Reason)
        /// It waits for its time.
        case scheduled
    }

    init(_ name: String, _ outcome: Outcome) {
        self.name = name
        self.outcome = outcome
    }

    static let sum = Outcome.success(5)
    static let badBody = Outcome.failure("DecodeError", .malformed)
    static let refused = Outcome.failure("ContentDisallowed", .refusedContent)

    static let all: [AcceptanceCase] = [
        .init(
            "minimal accepted: headers {task,id}, properties {delivery_tag, body_encoding, delivery_info}, "
                + "body [args,kwargs,{}]", sum),
        .init("embed is null", sum),
        .init("body has only [args, kwargs] (no embed)", badBody),
        .init("kwargs null", badBody),
        .init("args null", badBody),
        .init("body is an object though headers.task present", badBody),
        .init("no properties.delivery_info", sum),
        .init("empty delivery_info", sum),
        .init("no body_encoding, body raw JSON text", sum),
        .init("body_encoding \"utf-8\", body raw JSON text", sum),
        .init("body_encoding null, body raw JSON text", sum),
        .init("no content-encoding", sum),
        .init("no content-type", refused),
        .init("pickle content-type (not in accept_content)", refused),
        .init("yaml content-type", refused),
        .init("raw content-type application/data", refused),
        .init("no headers.id", .letter(.malformed)),
        .init("no headers.task, body is a list", badBody),
        .init("unknown task", .failure("NotRegistered", .notRegistered)),
        .init("invalid eta string", badBody),
        .init("eta is a number", badBody),
        .init("invalid expires", badBody),
        .init("eta with Z suffix", sum),
        .init("eta ms precision and offset", sum),
        .init("eta with a space", sum),
        .init("eta in year 9999", .scheduled),
        .init("timelimit null", sum),
        .init("timelimit has 1 element", sum),
        .init("retries null", sum),
        .init("lang swift, null reprs", sum),
        .init("priority a string", sum),
        .init("body not base64", badBody),
        .init("body not JSON", badBody),
        .init("body not UTF-8", badBody),
        // Decoded as it stands: text and object do not add up.
        .init("unknown __type__ in args", .failure("TypeError", nil)),
        .init("compression zlib stream", sum),
        .init("compression header, but a real gzip stream", badBody),
        .init("unknown compression", .failure("DecodeError", .refusedContent)),
        .init("protocol 1 minimal: {task,id,args,kwargs}, headers {}", sum),
        .init("protocol 1 without args/kwargs", .failure("TypeError", .badArguments)),
        .init("protocol 1 without id", .letter(.malformed)),
        .init("object without task", .letter(.malformed)),
        .init("headers null", .letter(.malformed)),
        .init("no delivery_tag", sum),
        .init("no properties", badBody),
        .init("queue entry is not JSON", .letter(.malformed)),
        .init("queue entry is a JSON list", .letter(.malformed)),
    ]

    /// The message as it lies on the queue, and the id that it names.
    func message(_ fixture: JSON) throws -> (payload: [UInt8], id: String?) {
        let cases = fixture["cases"]?.array ?? []
        guard let test = cases.first(where: { $0["case"]?.string == name }) else { throw Missing(name: name) }
        if let raw = test["raw"]?.string { return (Array(raw.utf8), nil) }
        var envelope = fixture["base_envelope"] ?? [:]
        envelope.change(["headers", "id"], to: .string(TaskID.random()))
        envelope.change(["properties", "delivery_tag"], to: .string(TaskID.random()))
        for change in test["changes"]?.array ?? [] {
            let path = (change["set"] ?? change["remove"])?.array?.compactMap(\.string) ?? []
            envelope.change(path[...], to: change["set"] == nil ? nil : change["value"])
        }
        return (envelope.encoded(), envelope["headers"]?["id"]?.string ?? Self.idInBody(of: envelope))
    }

    private static func idInBody(of envelope: JSON) -> String? {
        let body = Data(base64Encoded: envelope["body"]?.string ?? "").map(Array.init) ?? []
        return (try? JSON(parsing: body))?["id"]?.string
    }

    struct Missing: Error {
        let name: String
    }
}
