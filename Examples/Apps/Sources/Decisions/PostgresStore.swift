// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if POSTGRES
import CPQ
import Dispatch
import Foundation
import Pages
import Synchronization

/// Decisions on a PostgreSQL server, by its own client library: one connection, opened again when it was lost.
final class PostgresStore: Store {
    private let connection: Mutex<OpaquePointer?>
    private let queue = DispatchQueue(label: "decisions.postgres")

    init(_ url: String) throws {
        connection = Mutex(PQconnectdb(url))
        _ = try ask(
            """
            CREATE TABLE IF NOT EXISTS decision
            (id text PRIMARY KEY, approved boolean NOT NULL, score double precision NOT NULL, by text NOT NULL)
            """)
    }

    deinit { connection.withLock { PQfinish($0) } }

    func save(_ decision: Decision) async throws { try await perform { try self.saveBlocking(decision) } }

    func saveBlocking(_ decision: Decision) throws {
        _ = try ask(
            "INSERT INTO decision VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE SET approved = $2, score = $3, by = $4",
            [decision.id, "\(decision.approved)", "\(decision.score)", decision.by])
    }

    func decision(_ id: String) async throws -> Decision? {
        try await perform {
            try self.ask("SELECT id, approved, score, by FROM decision WHERE id = $1", [id]).first.map { row in
                Decision(id: row[0], approved: row[1] == "t", score: Double(row[2]) ?? 0, by: row[3])
            }
        }
    }

    private func ask(_ sql: String, _ values: [String] = []) throws -> [[String]] {
        try connection.withLock { connection in
            if PQstatus(connection) != CONNECTION_OK { PQreset(connection) }
            let texts = values.map { UnsafePointer(strdup($0)) }
            defer { for text in texts { free(UnsafeMutableRawPointer(mutating: text)) } }
            let result = PQexecParams(connection, sql, Int32(values.count), nil, texts, nil, nil, 0)
            defer { PQclear(result) }
            let status = PQresultStatus(result)
            guard status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK else {
                throw PostgresError(description: String(cString: PQerrorMessage(connection)).trimmingSpace())
            }
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, row, $0)) }
            }
        }
    }

    private func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }
}

struct PostgresError: Error, CustomStringConvertible {
    let description: String
}
#endif
