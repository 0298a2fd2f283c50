// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// What stands before the names of all tasks: `interop`, or what the environment says.
enum Namespace {
    private static let name = ProcessInfo.processInfo.environment["CELERY_NAMESPACE"] ?? "interop"

    /// A task's full name.
    static func name(_ task: String) -> String { "\(name).\(task)" }
}
