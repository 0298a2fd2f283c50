// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// A worker whose tasks mirror those of a Celery app, Tests/Interop/peer.py, name by name: what one of them takes and
// returns, and how it fails, the other does alike. Try `interop tasks`, then `interop worker`.

import Chard
import ChardCommand
import FoundationEssentials

let app = Chard("interop")
app.dependencies.register(Marks(app: app))

let namespace = ProcessInfo.processInfo.environment["CELERY_NAMESPACE"] ?? "interop"
let tasks = TaskSet(app: app, namespace: namespace)
tasks.registerArithmetic()
tasks.registerEndings()
tasks.registerPatience()
tasks.registerMarks()
tasks.registerMirrors()

await app.main()
