// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// `add`, `mul`, `xsum`: on whatever numbers the caller sent. With one type, `(x: Int, y: Int) in x + y` would do.
struct Arithmetic: TaskSet {
    init(_ app: Chard) {
        app.task(Namespace.name("add"), parameters: ["x", "y"]) { (x: JSON, y: JSON) in
            try Python.add(x, y)
        }
        app.task(Namespace.name("mul"), parameters: ["x", "y"]) { (x: JSON, y: JSON) in
            try Python.multiply(x, y)
        }
        app.task(Namespace.name("xsum"), parameters: ["numbers"]) { (numbers: [JSON]) in
            try numbers.reduce(0) { try Python.add($0, $1) }
        }
    }
}
