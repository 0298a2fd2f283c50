// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The steps of a flow in layers: each is in the first one behind all that it waits for, and in its layer near to these.
struct FlowLayers {
    /// So many steps are drawn; of a larger flow some stand for the others, as in any large group.
    static let most = 150

    private(set) var layers: [[WorkflowTask]] = []
    /// How many steps the largest layer has.
    var height: Int { layers.map(\.count).max() ?? 0 }

    /// `nil` where these are no steps of a flow, or none waits for another one.
    init?(_ members: [[WorkflowReport.Node]]) {
        guard members.count <= Self.most else { return nil }
        var steps: [WorkflowTask] = []
        for member in members {
            guard member.count == 1, case .task(let task) = member[0] else { return nil }
            steps.append(task)
        }
        guard steps.contains(where: { !$0.after.isEmpty }) else { return nil }
        var (layer, row) = ([String: Int](), [String: Double]())
        // Each stands behind those that it waits for.
        for step in steps {
            let place = (step.after.compactMap { layer[$0] }.max() ?? -1) + 1
            layer[step.id] = place
            while layers.count <= place { layers.append([]) }
            layers[place].append(step)
        }
        for index in layers.indices {
            // Counted from the middle of the layer, as they are drawn.
            func wish(_ step: WorkflowTask) -> Double {
                let rows = step.after.compactMap { row[$0] }
                return rows.isEmpty ? 0 : rows.reduce(0, +) / Double(rows.count)
            }
            let sorted = layers[index].enumerated().sorted {
                (wish($0.element), $0.offset) < (wish($1.element), $1.offset)
            }
            layers[index] = sorted.map(\.element)
            for (number, step) in layers[index].enumerated() {
                row[step.id] = Double(number) - Double(layers[index].count - 1) / 2
            }
        }
    }
}
