// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Chard {
    /// The message of a schedule's call: an ordinary one, with the header by which Celery marks what its beat has sent.
    ///
    /// - Parameter tick: The tick that it stands for, in milliseconds since 1970; `nil` where the operator asked for it.
    func message(of schedule: Schedule, tick: Int?, id: String) throws -> TaskMessage {
        var signature = Signature<JSON>(schedule.call.task, schedule.call.arguments, options: schedule.call.options)
        signature.options.id = id
        signature.options.headers["celery_beat_task"] = true
        signature.options.headers["chard_schedule"] = .string(schedule.name)
        if let tick { signature.options.headers["chard_tick"] = .string(Timestamp.text(for: Date(milliseconds: tick))) }
        if let task = registry[schedule.call.task] { signature.call.taskOptions = task.options }
        // By its status it is known when it has ended.
        if schedule.overlap != .allow { signature.options.ignoresResult = false }
        return try message(for: signature.call, now: settings.now(), parent: nil)
    }

}

extension ScheduleStore {
    /// Deals with ticks that these messages stand for. None of them was sent unless that was done.
    func send(
        _ step: TickStep, with messages: [TaskMessage], signedBy signing: MessageSigning?, now: Date
    ) async throws -> Enqueued {
        var step = step
        step.messages = messages.map { $0.outgoing(by: signing) }
        let receipt = try await send(step)
        var enqueued = Enqueued()
        if receipt == .done {
            enqueued = Enqueued(messages, step.messages.map { Placement(of: $0, at: now) })
        }
        enqueued.receipt = receipt
        return enqueued
    }
}

extension TaskID {
    /// The id of the task that a tick becomes, the same for every scheduler: a UUID of version 8 (RFC 9562) from schedule and
    /// time, by FNV-1a.
    static func of(tick: Int, schedule: String) -> String {
        var hash: UInt128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D
        for byte in "\(tick)/\(schedule)".utf8 {
            hash = (hash ^ UInt128(byte)) &* 0x0000_0000_0100_0000_0000_0000_0000_013B
        }
        return text(
            UInt64(truncatingIfNeeded: hash >> 64) & 0xFFFF_FFFF_FFFF_0FFF | 0x8000,
            UInt64(truncatingIfNeeded: hash) & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }
}
