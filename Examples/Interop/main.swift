// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

// A worker whose tasks mirror those of a Celery app, Tests/Interop/peer.py, name by name: what one of them takes and
// returns, and how it fails, the other does alike. Try `interop tasks`, then `interop worker`.

import Chard
import ChardCommand

let app = Chard("interop")
app.dependencies.register(Marks.self, make: { Marks(app: app) })
app.add(Arithmetic.self)
app.add(Endings.self)
app.add(Patience.self)
app.add(MarkTasks.self)
app.add(Mirrors.self)
app.add(Parts.self)

await app.main()
