// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A run's end in the terms of the broker: what to settle and what to count.
///
/// Each run makes one, and it changes hands several times: what few ends have is behind one reference.
struct Conclusion: Sendable {
    /// How a worker counts an end.
    enum Count: Sendable {
        case done
        case failed
        /// Put off or given back, and so not dealt with.
        case none
    }

    var settlement: Settlement
    var count: Count
    /// What it is to be remembered as.
    var note: AttemptRecord?
    private var box: Box?

    init(_ settlement: consuming Settlement, as count: Count = .done) {
        self.settlement = settlement
        self.count = count
    }

    /// What there is to do beside the settlement.
    var extras: Extras {
        get { box?.extras ?? Extras() }
        set { box = newValue.isEmpty ? nil : Box(newValue) }
    }

    /// Whether the settlement is all there is to do.
    var isPlain: Bool { box == nil }

    /// Whether something has to be done before the settlement, besides storing the statuses.
    var hasPrelude: Bool { box?.extras.hasPrelude ?? false }

    /// Whether the message merely goes back, as if it had never been claimed.
    var isHandingBack: Bool {
        if settlement.effects.count == 1, case .putBack(as: nil) = settlement.effects[0] { true } else { false }
    }

    /// The size of what is to be written, in bytes.
    var bytes: Int { settlement.effects.size + (box?.extras.bytes ?? 0) }

    private final class Box: Sendable {
        let extras: Extras

        init(_ extras: Extras) { self.extras = extras }
    }
}

/// By places: to go through the elements copies each, some twenty references.
extension [Conclusion] {
    /// Whether their settlements are all there is to do.
    var arePlain: Bool {
        for place in indices where !self[place].isPlain { return false }
        return true
    }

    /// The size of what was received and of what is to be written, in bytes.
    var bytes: Int {
        var bytes = 0
        for place in indices { bytes += self[place].settlement.delivery.payload.count + self[place].bytes }
        return bytes
    }
}

extension Conclusion {
    /// What few ends have beside their settlement.
    struct Extras: Sendable {
        /// Where results are kept apart from the broker: the statuses, to be stored before the settlement.
        var statuses: [StatusRecord] = []
        /// The parts of joins, and the joins to open, in the same place.
        var joins: [JoinPart] = []
        var openings: [JoinOpening] = []
        /// What is too much for one step, to be sent and stored before it: messages whose ids are known, and the statuses of
        /// tasks that will never run. If the step is not taken after all, the next one does the same again.
        var early: [Effect] = []
        /// What it takes to conclude anew, where joins may wish so.
        var renewal: Renewal?
        /// What this stands for, where the broker has refused that.
        var appeal: Appeal?

        var isEmpty: Bool { statuses.isEmpty && !hasPrelude && renewal == nil && appeal == nil }

        /// Whether something has to be done before the settlement, besides storing the statuses.
        var hasPrelude: Bool { !joins.isEmpty || !openings.isEmpty || !early.isEmpty }

        /// Whether a join ends by this that does not wait for its other members.
        var failsFirst: Bool { joins.contains { $0.closing == .firstFailure } }

        var bytes: Int { statuses.reduce(0) { $0 + $1.json.count } + early.reduce(0) { $0 + $1.size } }
    }

    /// What a conclusion was made of, besides its delivery, so that it can be made anew when a join has said that its last member
    /// is there. The message is read once more then: of thousands of members one comes to that.
    struct Renewal: Sendable {
        var outcome: Outcome
        var known: KnownJoins
    }
}
