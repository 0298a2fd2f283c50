// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// What the dashboard knows of the broker: asked for when somebody looks, and once for all who do.
struct Facts: Sendable {
    let app: Chard
    /// Whether the arguments and results of tasks may be seen.
    let showsArguments: Bool
    /// The queues, and what is in them.
    let queues: Shared<[QueueReport]>
    /// The workers that are alive.
    let workers: Shared<[WorkerReport]>
    /// What `doctor` says.
    let findings: Shared<[Finding]>
    /// The data of pages, by their addresses.
    let documents = SharedTable<JSON>(maxAge: .seconds(1))

    var `operator`: Operator { app.operator }

    init(_ app: Chard, showsArguments: Bool) {
        self.app = app
        self.showsArguments = showsArguments
        queues = Shared(maxAge: .seconds(1)) { try await app.operator.queues.reports() }
        workers = Shared(maxAge: .seconds(1)) { try await app.operator.workers() }
        findings = Shared(maxAge: .seconds(15)) { try await app.operator.diagnose() }
    }

    /// Forgets everything: something was changed, and whoever changed it looks at it next.
    func forget() async {
        await queues.forget()
        await workers.forget()
        await findings.forget()
        await documents.forget()
    }
}
