// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import ChardCommand

// The operator's program: every command that needs no tasks.
await Chard("chard").main()
