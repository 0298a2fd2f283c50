// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Operator {
    /// Among so many workflows, the last ones, a task is looked for that was not sent yet.
    private static let mostWorkflows = 100

    /// What a task waits for that is part of a workflow and was not sent yet, or a whole workflow; `nil` if none is known.
    func explain(partOfWorkflow id: String) async throws -> Explanation? {
        guard try app.recordStore != nil else { return nil }
        if let report = try await app.workflow(id).report() {
            return report.explanation(of: nil, underWay: try await underWay(in: report))
        }
        for report in try await app.workflows(limit: Self.mostWorkflows) {
            guard let task = report.tasks.first(where: { $0.id == id }) else { continue }
            return report.explanation(of: task, underWay: try await underWay(in: report))
        }
        return nil
    }

    /// The tasks of a workflow that were sent and are not over, a few of them.
    private func underWay(in report: WorkflowReport) async throws -> [WorkflowTask] {
        var found: [WorkflowTask] = []
        for task in report.tasks.filter({ !$0.state.isOver }).prefix(50) where found.count < 4 {
            if task.state == .running {
                found.append(task)
            } else if let record = try await find(task.id, depth: 500), record.status?.state.isReady != true {
                found.append(task)
            }
        }
        return found
    }

    /// Says so where none of the workers that serve a task's queue knows its name, as far as they can be asked.
    func explain(
        unknownNameOf record: TaskRecord, _ explanation: Explanation, _ workers: [WorkerReport]
    ) async throws -> Explanation? {
        guard case .waiting(let queue, _) = record.place, let task = record.task,
            ["busy", "soon", "paused"].contains(explanation.cause), try app.broker.power(.mailbox) != nil
        else { return nil }
        let serving = Set(workers.filter { $0.queues.contains(queue) }.map(\.node))
        guard !serving.isEmpty else { return nil }
        let replies = try await remote.ask("registered", of: .nodes(serving.sorted()), for: .milliseconds(700))
        let knowing = replies.filter { reply in
            // A name with what is asked for, or known of it, behind it: `shop.add [rate_limit=10/m]`.
            reply.answer.array?.contains { $0.string?.split(separator: " ").first.map(String.init) == task } ?? true
        }
        guard !replies.isEmpty, knowing.count < replies.count else { return nil }
        if knowing.isEmpty, Set(replies.map(\.node)) == serving {
            return Explanation(
                "unregistered",
                "no worker that serves \(queue) knows a task \(task): whichever takes it puts it aside (\(explanation.text))",
                advice: "start a worker that has it with '-Q \(queue)', or send it to the queue of one that has")
        }
        let unknowing = replies.filter { reply in !knowing.contains { $0.node == reply.node } }.map(\.node)
        return Explanation(
            explanation.cause,
            "\(explanation.text); \(unknowing.joined(separator: ", ")) would put it aside, not knowing \(task)",
            advice: explanation.advice)
    }
}

extension WorkflowReport {
    /// What one of its tasks, which was not sent yet, waits for; or the whole of it.
    /// - Parameter underWay: The tasks that were sent and are not over.
    func explanation(of task: WorkflowTask?, underWay: [WorkflowTask]) -> Explanation {
        let what = task.map { "it is \($0.task), a task of the workflow \(id)" } ?? "it is a workflow"
        if case let state = task?.state ?? state, state.isOver {
            return Explanation(
                "over", "\(what), and is over: \(state.rawValue)\(task?.error.map { ": \($0)" } ?? "")",
                advice: "'workflow show \(id)'")
        }
        let own = task?.signal
        // Where something is under way, nobody knows here whether the signal is what comes next.
        if let signal = own ?? (underWay.isEmpty ? tasks.first { !$0.state.isOver && $0.signal != nil }?.signal : nil) {
            let place = own != nil || task == nil ? "and waits" : "which waits"
            return Explanation(
                "signal", "\(what), \(place) for the signal \"\(signal)\"",
                advice: "'workflow signal \(id) \(signal)' gives it")
        }
        let before = underWay.map { "\($0.task) (\($0.id))" }
        let list = before.prefix(3).joined(separator: ", ") + (before.count > 3 ? " and more" : "")
        return Explanation(
            "follows",
            before.isEmpty ? "\(what): \(progress)" : "\(what), and comes after what is not over yet: \(list)",
            advice: before.isEmpty
                ? "'workflow show \(id)'" : "'why' of that one says more; 'workflow show \(id)' shows all")
    }
}

extension WorkflowReport {
    /// The signals that something of it waits for, or will.
    package var awaitedSignals: [String] { state.isOver ? [] : tasks.filter { !$0.state.isOver }.compactMap(\.signal) }
}

extension WorkflowTask {
    /// The name of the signal that it is, if it is one.
    fileprivate var signal: String? {
        task.hasSuffix(": signal") ? String(task.dropLast(": signal".count)) : nil
    }
}
