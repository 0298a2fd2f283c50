// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import GRDB

/// The signs by which the others judge whether a holder lives.
struct StoredHolder: Sendable {
    let number: Int64
    /// How often it has said that it lives.
    let beat: Int64
    /// What it keeps locked.
    let lock: LockPlace

    static func signs(_ db: Database) throws -> [StoredHolder] {
        let rows = try db.rows("SELECT number, beat, file, place FROM holder")
        var holders: [StoredHolder] = []
        while let row = try rows.next() {
            holders.append(StoredHolder(number: row[0], beat: row[1], lock: LockPlace(file: row[2], place: row[3])))
        }
        return holders
    }

    /// What holders tell of themselves, and what each keeps locked.
    static func reports(_ db: Database) throws -> [(report: WorkerReport, lock: LockPlace)] {
        let rows = try db.rows(
            """
            SELECT identity, node, pid, queues, concurrency, started, seen, vitals, file, place FROM holder
            ORDER BY node, identity
            """)
        var reports: [(WorkerReport, LockPlace)] = []
        while let row = try rows.next() {
            let report = WorkerReport(
                node: row[1], identity: row[0], pid: row[2],
                queues: try JSON.decode([String].self, from: row.bytes(3)), concurrency: row[4],
                startedAt: row[5], seenAt: row[6], vitals: try JSON.decode(Vitals.self, from: row.bytes(7)))
            reports.append((report, LockPlace(file: row[8], place: row[9])))
        }
        return reports
    }
}
