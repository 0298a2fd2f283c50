// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A broker whose replies come on one thread, which runs its workers' steps as well: what came needs no change of thread to
/// be handed to a slot, nor what ended to be written.
package protocol ThreadLendingBroker: Broker {
    /// The thread. It outlives the broker's use.
    var controlExecutor: any ControlExecutor { get }
}
