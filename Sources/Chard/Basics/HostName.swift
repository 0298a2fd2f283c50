// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

/// The machine's host name, as other nodes see it in node names.
package func hostName() -> String { ProcessInfo.processInfo.hostName }
