// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension Unroller {
    /// The message that a signature of one task becomes.
    /// - Parameter chain: The rest of the chain that it is in, where its options do not say that.
    func message(of canvas: Canvas, chain: [ArraySlice<UInt8>]? = nil) throws(CanvasError) -> TaskMessage {
        let options = CanvasOptions(of: canvas)
        let task = rules.options(canvas.task)
        let now = rules.now()
        var embed = Embed()
        embed.callbacks = canvas.options[.link].signatures
        embed.errbacks = canvas.options[.linkError].signatures
        embed.chain = chain ?? canvas.options[.chain].signatures
        embed.chord = canvas.options[.chord].signatures.first
        var body = MessageBody(embed: embed)
        body.positional = canvas.arguments
        body.keywords = canvas.keywords
        var message = TaskMessage(
            task: canvas.task, id: options.text("task_id") ?? TaskID.random(), body: body,
            queue: rules.queue(canvas.task, options.queue ?? task?.queue), texts: rules.texts,
            parameters: rules.parameters(canvas.task))
        let (eta, expires) = (try options.date("eta"), try options.date("expires"))
        message.eta = eta ?? options.seconds("countdown").map { now.addingTimeInterval($0) }
        message.expires =
            expires ?? (options.seconds("expires") ?? task?.expires?.seconds).map { now.addingTimeInterval($0) }
        message.workerHoldsETA = canvas.workerHoldsETA
        message.timeLimits.soft = options.seconds("soft_time_limit") ?? task?.softTimeLimit?.seconds
        message.timeLimits.hard = options.seconds("time_limit") ?? task?.timeLimit?.seconds
        message.ignoresResult = options.value("ignore_result")?.bool ?? (task?.ignoresResult == true ? true : nil)
        message.shadow = options.text("shadow")
        message.retries = options.value("retries")?.integer ?? 0
        message.group = options.text("group_id")
        message.groupIndex = options.value("group_index")?.integer
        message.replacedTaskNesting = options.value("replaced_task_nesting")?.integer ?? 0
        message.rootID = options.text("root_id") ?? parent?.workflowID ?? root ?? message.id
        message.parentID = options.text("parent_id") ?? parent?.id
        message.origin = rules.origin
        message.headers = (task?.headers ?? [:]).merging(options.value("headers")?.object ?? [:]) { $1 }
        // What follows a task belongs to the same trace.
        if let parent { TraceHeaders.pass(from: parent.headers, to: &message.headers) }
        if let stamps = canvas.options[.stampedHeaders].map(JSONText.texts) {
            message.stampedHeaders = stamps
            for stamp in stamps { message.stamps[stamp] = options.value(CanvasOption(stamp)) ?? .null }
        }
        if let replyTo = options.text("reply_to") { message.properties.replyTo = replyTo }
        message.properties.priority = options.value("priority")?.integer ?? task?.priority ?? 0
        message.noteSent(at: now)
        return message
    }
}

/// Celery's options of one call, read as they are asked for.
private struct CanvasOptions {
    let canvas: Canvas

    init(of canvas: Canvas) { self.canvas = canvas }

    func value(_ option: CanvasOption) -> JSON? { canvas.options[option].flatMap { try? JSON(parsing: $0) } }

    func text(_ option: CanvasOption) -> String? { value(option)?.string }

    /// A number of seconds.
    func seconds(_ option: CanvasOption) -> Double? { value(option)?.number }

    /// A point in time, as text or as kombu writes it within JSON.
    func date(_ option: CanvasOption) throws(CanvasError) -> Date? {
        guard let value = value(option), value.number == nil else { return nil }
        let text = value.string ?? value["__value__"]?.string
        guard let date = text.flatMap(Timestamp.date(from:)) else {
            throw CanvasError("the option \(option.name) of \(canvas.task) is \(value), expected a time in ISO 8601")
        }
        return date
    }

    /// The queue that a call names, be it by the routing key alone.
    var queue: String? {
        if let queue = text("queue") { return queue }
        let exchange = text("exchange") ?? ""
        return exchange.isEmpty ? text("routing_key") : nil
    }
}
