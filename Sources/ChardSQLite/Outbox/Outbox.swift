// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import GRDB
import Logging
import ServiceLifecycle

/// Tasks that are enqueued in a transaction of the app's own database, together with the rows they are about: both are there, or
/// neither is, whenever the process is killed.
///
/// ```swift
/// let outbox = try Outbox(app, in: database)
/// try await database.write { db in
///     try poll.insert(db)
///     try outbox.enqueue(close.signature(poll.id, at: poll.closesAt), in: db)
/// }
/// site.addServices(outbox)
/// ```
/// What a transaction has left is sent behind its commit, by ``run()``: of this process or of another one with the same database.
/// Where the broker is `sqlite:///` and the very same file, nothing needs to be sent: the message is in the broker with the commit,
/// exactly once. (Open the broker first then: it makes the file; and an app whose middleware changes what is enqueued has it relayed there, too.)
///
/// **Once, but for one case.** A process that is killed between sending and noting that it has sent leaves messages in doubt. The next
/// one asks the broker for each by its id, in the queues, with the workers, in the history and among the results, and sends only what
/// is nowhere to be found. Should such a task run, end and be forgotten before that, or change its place in the moment of the question,
/// it runs twice, under one id.
public final class Outbox: Service {
    let app: Chard
    let database: any DatabaseWriter
    let logger: Logger
    /// After so long, whoever has taken messages to send them is thought to have ended.
    let takeover: Duration
    let signal = OutboxSignal()
    private let broker: SameFile

    /// Makes an outbox, and its table `chard_outbox` where the database has none.
    ///
    /// - Parameters:
    ///   - app: The app whose broker gets the tasks.
    ///   - database: The app's own database. Where other processes write it, too, or it is the broker's file, let it wait for them:
    ///     GRDB's `Configuration.busyMode = .timeout(5)`.
    ///   - takeover: How long a process may take to send what it has taken; later, another one does. More than what the broker is
    ///     waited for.
    ///   - logger: Told of what cannot be sent.
    public init(
        _ app: Chard, in database: any DatabaseWriter, takeover: Duration = .seconds(15),
        logger: Logger = Logger(label: "chard.outbox")
    ) throws {
        self.app = app
        self.database = database
        self.takeover = takeover
        self.logger = logger
        broker = SameFile()
        try database.write { db in try OutboxTable.make(in: db) }
    }

    /// Enqueues a task with the transaction of `db`: if that is rolled back, there never was one. A task for later waits in the broker,
    /// as ever.
    ///
    /// - Returns: A way to the result. Do not wait for it within the transaction.
    /// - Throws: `AppError`, as every enqueue, where the call makes no sense; then let the transaction fail, or go on without the task.
    @discardableResult
    public func enqueue<Output>(_ signature: Signature<Output>, in db: Database) throws -> AsyncResult<Output> {
        guard db.isInsideTransaction else {
            throw AppError(
                "cannot enqueue \(signature.task) in an outbox: there is no transaction; use database.write { db in … }"
            )
        }
        let call = try app.prepare(signature)
        if app.sendsStraight, let broker = try broker.find(of: app, from: db) {
            let news = try broker.send([call.outgoing], in: db)
            db.afterNextTransaction(onCommit: { _ in broker.tell(news) })
        } else {
            try OutboxTable.add(call.outgoing, workerHoldsETA: call.workerHoldsETA, in: db)
            db.afterNextTransaction(onCommit: { [signal] _ in signal.give() })
        }
        return call.result
    }

    /// How many tasks wait to be sent, those among them that the broker refuses.
    public func count() async throws -> Int {
        try await database.read { db in try OutboxTable.count(in: db) }
    }
}
