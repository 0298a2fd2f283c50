// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if POSTGRES
import Dispatch
import Synchronization

/// Decisions on a PostgreSQL server.
final class PostgresStore: Store {
    private let connection: Mutex<PostgresConnection>
    private let queue = DispatchQueue(label: "decisions.postgres")

    init(_ url: String) throws {
        connection = Mutex(try PostgresConnection(url))
        // Web server and worker may start at the same time, and neither needs the right to make tables where there is one.
        _ = try ask(
            """
            DO $$ BEGIN
                PERFORM pg_advisory_xact_lock(hashtext('decision'));
                IF to_regclass('decision') IS NULL THEN
                    CREATE TABLE decision
                    (id text PRIMARY KEY, approved boolean NOT NULL, score double precision NOT NULL, by text NOT NULL);
                END IF;
            END $$
            """)
    }

    func save(_ decision: Decision) async throws { try await perform { try self.saveBlocking(decision) } }

    func saveBlocking(_ decision: Decision) throws {
        _ = try ask(
            """
            INSERT INTO decision (id, approved, score, by) VALUES ($1, $2, $3, $4)
            ON CONFLICT (id) DO UPDATE SET approved = excluded.approved, score = excluded.score, by = excluded.by
            """, [decision.id, "\(decision.approved)", "\(decision.score)", decision.by])
    }

    func decision(_ id: String) async throws -> Decision? {
        // No text of PostgreSQL's has a zero in it, and to its library it were the end.
        guard !id.utf8.contains(0) else { return nil }
        return try await perform {
            try self.ask("SELECT id, approved, score, by FROM decision WHERE id = $1", [id]).first.map { row in
                Decision(id: row[0], approved: row[1] == "t", score: Double(row[2]) ?? 0, by: row[3])
            }
        }
    }

    private func ask(_ sql: String, _ values: [String] = []) throws -> [[String]] {
        try connection.withLock { try $0.ask(sql, values) }
    }

    /// Waits without keeping a thread that async code needs.
    private func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}
#endif
