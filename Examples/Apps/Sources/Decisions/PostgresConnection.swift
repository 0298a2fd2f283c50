// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if POSTGRES
import CPQ
import Foundation

/// A connection to a PostgreSQL server by its own client library, opened again when it was lost. It blocks.
struct PostgresConnection: ~Copyable {
    private let connection: OpaquePointer?
    /// For how long a server that says nothing is waited for.
    private let patience = Duration.seconds(5)
    /// When it was found to be away: who asks within a second of that is told so at once, rather than one after the other.
    private var lost: ContinuousClock.Instant?

    /// Connects; whether that was to any avail, the first question shows.
    init(_ url: String) throws(StoreError) {
        // What the library has to say to it might repeat a password.
        guard let parsed = PQconninfoParse(url, nil), Self.hasPorts(parsed) else {
            throw StoreError(
                description: "no URL of a PostgreSQL server: postgresql://user:password@host:5432/database, in which a "
                    + "slash of the password is %2F")
        }
        PQconninfoFree(parsed)
        // What the URL says stands behind, and wins.
        connection = Self.withCStrings([
            "connect_timeout", "5", "application_name", "decisions", "client_encoding", "UTF8", "dbname", url,
        ]) { words in
            let (keys, values) = (stride(from: 0, to: words.count, by: 2), stride(from: 1, to: words.count, by: 2))
            return PQconnectdbParams(keys.map { words[$0] } + [nil], values.map { words[$0] } + [nil], 1)
        }
    }

    deinit { PQfinish(connection) }

    /// The rows that a statement comes to, whose values are never part of its text.
    ///
    /// A connection that was lost is opened again, and the statement sent once more: so it has to be one that may run twice.
    mutating func ask(_ sql: String, _ values: [String] = []) throws(StoreError) -> [[String]] {
        if let lost, .now - lost < .seconds(1) { throw away }
        lost = nil
        if PQstatus(connection) == CONNECTION_OK, let rows = try answer(to: sql, values) { return rows }
        PQreset(connection)
        if PQstatus(connection) == CONNECTION_OK, let rows = try answer(to: sql, values) { return rows }
        lost = .now
        throw away
    }

    private var away: StoreError {
        StoreError(description: "the PostgreSQL server cannot be reached: \(message)", isAway: true)
    }

    private var message: String {
        String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    /// `nil` where the connection was lost meanwhile.
    private mutating func answer(to sql: String, _ values: [String]) throws(StoreError) -> [[String]]? {
        let isSent = Self.withCStrings(values) { values in
            PQsendQueryParams(connection, sql, Int32(values.count), nil, values, nil, nil, 0)
        }
        guard isSent == 1 else { return nil }
        let end = ContinuousClock.now + patience
        while PQisBusy(connection) == 1 {
            guard waits(until: end) else {
                // Whatever it answers later must not be taken for the answer to something else.
                PQresetStart(connection)
                lost = .now
                throw StoreError(description: "the PostgreSQL server did not answer within \(patience)", isAway: true)
            }
            guard PQconsumeInput(connection) == 1 else { return nil }
        }
        let result = PQgetResult(connection)
        defer { PQclear(result) }
        while let more = PQgetResult(connection) { PQclear(more) }
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK: return []
        case PGRES_TUPLES_OK:
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, row, $0)) }
            }
        case _ where PQstatus(connection) != CONNECTION_OK: return nil
        default: throw StoreError(description: "the PostgreSQL server has refused it: \(message)")
        }
    }

    private func waits(until end: ContinuousClock.Instant) -> Bool {
        let left = end - .now
        guard left > .zero else { return false }
        var socket = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        return poll(&socket, 1, Int32(left / .milliseconds(1)) + 1) != 0
    }

    /// Whether the ports are some: where a password has a slash, what stands before that is taken for one.
    private static func hasPorts(_ options: UnsafeMutablePointer<PQconninfoOption>) -> Bool {
        var option = options
        while let keyword = option.pointee.keyword {
            if String(cString: keyword) == "port", let value = option.pointee.val {
                return String(cString: value).split(separator: ",").allSatisfy { UInt16($0) != nil }
            }
            option += 1
        }
        return true
    }

    private static func withCStrings<Value>(
        _ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> Value
    ) -> Value {
        let copies = texts.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies.map { UnsafePointer($0) })
    }
}
#endif
