// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The message's arguments do not fit: told apart from what a body may throw, since such a message is kept.
struct UnboundArguments: Error {
    let error: TaskError
}
