// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The messages that are measured.
enum Sample {
    /// What Celery 5.7 sends for `add.delay(2, 3)`.
    static let celery = Array(
        (#"{"body": "W1syLCAzXSwge30sIHsiY2FsbGJhY2tzIjogbnVsbCwgImVycmJhY2tzIjogbnVsbCwgImNoYWluIjogbnVsbCwgImNob3Jk"#
            + #"IjogbnVsbH1d", "content-encoding": "utf-8", "content-type": "application/json", "headers": {"lang": "#
            + #""py", "task": "interop.add", "id": "81ddf2ad-828e-4f24-b2d5-c460bdf44ca8", "shadow": null, "eta": "#
            + #"null, "expires": null, "group": null, "group_index": null, "retries": 0, "timelimit": [null, null], "#
            + #""root_id": "81ddf2ad-828e-4f24-b2d5-c460bdf44ca8", "parent_id": null, "argsrepr": "(2, 3)", "#
            + #""kwargsrepr": "{}", "origin": "gen22434@pyclient", "ignore_result": false, "replaced_task_nesting": "#
            + #"0, "stamped_headers": null, "stamps": {}}, "properties": {"correlation_id": "#
            + #""81ddf2ad-828e-4f24-b2d5-c460bdf44ca8", "reply_to": "fa668e11-4b6e-3fdd-b115-de7eba1ebef8", "#
            + #""delivery_mode": 2, "delivery_info": {"exchange": "", "routing_key": "celery"}, "priority": 0, "#
            + #""body_encoding": "base64", "delivery_tag": "1f7f56d9-5a5b-41a2-9fbe-2aabe401832b"}}"#).utf8)

    /// What an app sends for a call with two numbers.
    static func call() throws -> TaskMessage {
        let body = MessageBody(positional: [try JSON.encode(2), try JSON.encode(3)])
        var message = TaskMessage(task: "interop.add", body: body, queue: "celery")
        message.rootID = message.id
        message.origin = "22434@interop"
        message.properties.timestamp = 1_763_800_000
        return message
    }

    /// That call's message as a worker gets it, about 560 bytes.
    static func delivery(_ number: Int) throws -> Delivery {
        Delivery(queue: "celery", payload: try call().encoded(), place: "celery", number: Int64(number))
    }
}
