// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// The long form of the fault suite: plays the rows one after the other, and prints a table.

import FaultKit
import Foundation

await FaultSuite(Array(CommandLine.arguments.dropFirst())).run()
