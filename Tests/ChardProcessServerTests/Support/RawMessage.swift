// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Foundation

/// An envelope as a Celery client writes it, built here piece by piece so that any of them can be wrong.
struct RawMessage {
    let id: String
    var envelope: JSON

    init(_ task: String, _ arguments: [JSON] = [], keywords: [String: JSON] = [:], id: String = TaskID.random()) {
        self.id = id
        envelope = [
            "content-encoding": "utf-8", "content-type": "application/json",
            "headers": ["task": .string(task), "id": .string(id)],
            "properties": [
                "delivery_tag": .string(TaskID.random()), "body_encoding": "base64",
                "delivery_info": ["exchange": "", "routing_key": "celery"],
            ],
        ]
        body = JSON.array([.array(arguments), .object(keywords), [:]]).encoded()
    }

    /// The bytes that the body's base64 stands for.
    var body: [UInt8] {
        get { Data(base64Encoded: envelope["body"]?.string ?? "").map(Array.init) ?? [] }
        set { envelope["body"] = .string(Data(newValue).base64EncodedString()) }
    }

    /// The envelope as it lies on a queue.
    var payload: [UInt8] { envelope.encoded() }

    /// The envelope with one piece of its text replaced, be the outcome JSON or not.
    func payload(replacing text: String, with bytes: [UInt8]) -> [UInt8] {
        let payload = payload
        guard let range = payload.firstRange(of: Array(text.utf8)) else { return payload }
        return payload[..<range.lowerBound] + bytes + payload[range.upperBound...]
    }
}

extension JSON {
    /// Puts a value where a path of names leads, or takes out what is there.
    mutating func change(_ path: ArraySlice<String>, to value: JSON?) {
        guard let name = path.first else { return }
        if path.count == 1 {
            self[name] = value
        } else {
            self[name]?.change(path.dropFirst(), to: value)
        }
    }
}
