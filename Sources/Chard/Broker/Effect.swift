// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// One change that a step writes in the broker: the whole vocabulary of what an end of a task, a tick, a recovery or an
/// operator's command may leave behind.
///
/// A step is a fence, which says whether it may happen at all, and a list of effects. All of them are written together with
/// what the step takes away, or none is, and then nothing is taken away either. The fences are: a lease
/// (``Consumer/settle(_:)``), the version of a schedule (``TickStep``), a heartbeat that is gone (``Recovery``), something
/// that is still as the operator saw it (``DelayingBroker/change(_:_:)``), or none (``Broker/send(_:)``).
///
/// A new effect is a case here, its interpretation in `MemoryState`, in SQLite's `Transaction` and in `ChardRedis/Effects`,
/// and a clause in `EffectClauses`.
public enum Effect: Sendable {
    /// A message is added at the end of its queue or, where its time has not come, kept aside until then. Says the name
    /// under which it is kept aside.
    case push(OutgoingMessage)
    /// The message that the step takes away goes to the front of its queue, uncounted: in this form or, where that is
    /// `nil`, as it is. A step that takes no message has nothing to put back.
    case putBack(as: [UInt8]?)
    /// A status is stored and published, unless a SUCCESS is stored and this is none.
    case store(StatusRecord)
    /// A message is kept among the dead letters. Says the name of the letter.
    indirect case bury(DeadLetter)
    /// A join is opened.
    indirect case open(JoinOpening)
    /// Members are added to a join. Nothing happens where it was not opened, or is over.
    case grow(JoinGrowth)
    /// The end of a member of a join is counted. Says what the join has to say to it. A step may have several, of different
    /// joins; if one of them says that nothing is written, nothing of the whole step is, and the receipt has the answers up
    /// to that one.
    indirect case join(JoinPart)
    /// A value of a record is changed.
    indirect case record(RecordChange)

    /// What an effect has to say, once it was written.
    public enum Answer: Sendable, Hashable {
        /// The name under which something is kept: the one that was asked for, or that with a number behind it.
        case name(String)
        /// What a join has to say to a member.
        case join(JoinAnswer)
    }

    /// How many bytes it brings the broker.
    package var size: Int {
        switch self {
        case .push(let message): message.payload.count
        case .putBack(let payload): payload?.count ?? 0
        case .store(let status): status.json.count
        case .bury(let letter): letter.payload.count
        case .open(let join): join.members?.count ?? 0
        case .grow: 0
        case .join(let part): part.end.count
        case .record(let change): change.value?.count ?? 0
        }
    }
}
