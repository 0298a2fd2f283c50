// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension WorkflowResult {
    /// Lets a flow go on from what has failed. The steps that have succeeded do not run again: their outcomes are given to those that
    /// wait for them. A step whose signal did not come, or for which something else has failed, waits for its signal anew.
    func retryFlow(_ record: [String: [UInt8]], in store: any RecordStore) async throws -> [String] {
        guard let value = record[FlowMap.value], var map = FlowMap(reading: value) else {
            throw AppError("workflow \(id) is a flow that was sent by an earlier version of Chard; send it anew")
        }
        let statuses = try await app.statuses(of: map.steps.map(\.id))
        func isDone(_ step: FlowMap.Step) -> Bool { statuses[step.id]?.state == .success }
        let open = map.steps.filter { statuses[$0.id]?.state.isReady != true }
        guard open.isEmpty else {
            throw AppError(
                "workflow \(id) still runs: \(open.prefix(5).map { "\"\($0.name)\"" }.joined(separator: ", ")) is not over"
            )
        }
        let failed = map.steps.filter { !isDone($0) }
        let names = Set(failed.map(\.name))
        let done = Dictionary(map.steps.filter(isDone).map { ($0.name, $0) }) { first, _ in first }
        func outcome(_ name: String) throws -> ArraySlice<UInt8> {
            guard let step = done[name], let status = statuses[step.id] else {
                throw AppError("workflow \(id): the result of step \"\(name)\" is not kept any more, so send it anew")
            }
            return PartEnd.success(step.id, status.resultText)
        }
        var (openings, parts, marks): ([JoinOpening], [JoinPart], [String]) = ([], [], [])
        var unroller = Unroller(app.canvasRules, parent: nil, root: id)
        var sent: [String] = []
        for step in failed {
            let beginning = FlowStep.beginning(step.name, id: step.id, of: id, on: map.queue)
            if !step.isSignal, !step.waitsFor.contains(where: names.contains) {
                let outcomes = JSONText.array(try step.waitsFor.map(outcome))
                try unroller.send(beginning.called(with: [outcomes]))
                sent.append(step.id)
                continue
            }
            let lifetime = app.canvasRules.joinsExpire
            openings.append(JoinOpening(group: step.join, size: step.outcomes, timeToLive: lifetime))
            marks += JoinPart.marks(of: step.join)
            for (place, name) in step.waitsFor.enumerated() where !names.contains(name) {
                let member = "\(name)@\(map.turn)"
                parts.append(
                    JoinPart(
                        group: step.join, member: member, index: place + (step.isSignal ? 1 : 0), isSuccess: true,
                        end: MemberEnd(id: member, state: .success, result: try outcome(name)).encoded(),
                        timeToLive: lifetime))
            }
        }
        guard !failed.isEmpty else { return [] }
        map.turn += 1
        var effects: Effects = []
        let lifetime = app.canvasRules.joinsExpire
        effects.append(
            .record(RecordChange(.keep, id, FlowMap.value, map.encoded(), timeToLive: lifetime)))
        for step in failed {
            let name = WorkflowRecord.Failure.prefix + step.id
            effects.append(.record(RecordChange(.amend, id, name, nil, timeToLive: lifetime)))
        }
        // Before anybody can wait for them.
        guard let joins = try app.results.power(.joins) else {
            throw AppError("\(try app.results.location) keeps no joins, so that no flow can go on")
        }
        for step in failed { try await app.results.forget(step.id) }
        try await joins.open(openings)
        if app.keepsResultsElsewhere, let broker = store.power(.joins) {
            // What was sent for the joins that begin anew is to be sent again.
            try await broker.open(marks.map { JoinOpening(group: $0, size: 1, timeToLive: lifetime) })
        }
        for part in parts { _ = try await joins.join(part) }
        for message in unroller.messages { effects.append(.push(message.outgoing(by: app.signing))) }
        // Of two who ask for it at once, one sends.
        guard try await store.take(FlowMap.value, value, of: id, writing: effects) else { return [] }
        return sent
    }
}
