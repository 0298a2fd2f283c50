// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Registers tasks under `<namespace>.<name>`, each theme in a file of its own.
struct TaskSet {
    let app: Chard
    let namespace: String

    /// A task's full name.
    func name(_ task: String) -> String { "\(namespace).\(task)" }
}
