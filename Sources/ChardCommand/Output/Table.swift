// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// Rows in aligned columns, for people.
struct Table {
    private let headers: [String]
    private let rightAligned: Set<Int>
    private var rows: [[String]] = []

    /// Makes a table; numbers look best in columns aligned at the right.
    init(_ headers: String..., rightAligned: Set<Int> = []) {
        self.headers = headers
        self.rightAligned = rightAligned
    }

    /// Adds a row, one cell for each header. What a terminal would act on is made visible instead, and what would push all
    /// other columns off the screen is cut short.
    mutating func add(_ cells: String...) {
        rows.append(cells.map { $0.shortened(to: Self.widest).printable() })
    }

    private static let widest = 100

    var isEmpty: Bool { rows.isEmpty }

    /// The lines, with two spaces between columns and none at their ends.
    var text: String {
        let all = [headers] + rows
        let widths = headers.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += column > 0 ? "  " : ""
                line += rightAligned.contains(column) ? padding + cell : cell + padding
            }
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// Names with their values in aligned lines, for people.
struct Listing {
    private var entries: [(name: String, value: String)] = []

    /// Adds a line, or none where there is no value. A line without a name goes on with the one above.
    mutating func add(_ name: String, _ value: String?) {
        if let value { entries.append((name, value.printable())) }
    }

    var text: String {
        let width = entries.map(\.name.count).max() ?? 0
        return entries.map { name, value in
            name + String(repeating: " ", count: width - name.count + 2) + value
        }.joined(separator: "\n")
    }
}
