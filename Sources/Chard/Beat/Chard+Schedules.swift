// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// Calls a task again and again, at every multiple of `interval` since 1970, UTC: `app.every(.seconds(60), run: backup)`.
    ///
    /// A beat sends the calls: `Beat`, or the commands `beat` and `worker --beat`. What is wrong is told by ``validate()``.
    /// - Parameters:
    ///   - interval: How long from one call to the next.
    ///   - name: The schedule's name, unique; by default, the task's.
    ///   - task: What is called.
    ///   - arguments: The arguments of each call.
    ///   - options: What a call is sent with, and what becomes of ticks that were missed.
    public func every<Output: Sendable, each Argument: Codable & Sendable>(
        _ interval: Duration, name: String? = nil, run task: TaskHandle<Output, repeat each Argument>,
        _ arguments: repeat each Argument, options: ScheduleOptions = ScheduleOptions()
    ) {
        schedule(name ?? task.name, .every(interval), options) {
            try task.signature(repeat each arguments, options: options.call)
        }
    }

    /// Calls a task at the times of a cron expression, by the clocks of a time zone:
    /// `app.cron("30 7 1 * *", timeZone: "Europe/Warsaw", run: report)`.
    ///
    /// - Parameters:
    ///   - expression: Five fields, or six with seconds as the first.
    ///   - days: Whether the day of month and the day of week must both fit, as in Celery, or either, as in Unix's cron.
    ///   - timeZone: The name of the zone, such as `Europe/Warsaw`.
    ///   - name: The schedule's name, unique; by default, the task's.
    ///   - task: What is called.
    ///   - arguments: The arguments of each call.
    ///   - options: What a call is sent with, and what becomes of ticks that were missed.
    public func cron<Output: Sendable, each Argument: Codable & Sendable>(
        _ expression: String, days: CronExpression.DayRule = .both, timeZone: String = "UTC", name: String? = nil,
        run task: TaskHandle<Output, repeat each Argument>, _ arguments: repeat each Argument,
        options: ScheduleOptions = ScheduleOptions()
    ) {
        do throws(ScheduleError) {
            let expression = try CronExpression(expression, days: days)
            schedule(name ?? task.name, .cron(expression, timeZone: timeZone), options) {
                try task.signature(repeat each arguments, options: options.call)
            }
        } catch {
            add(problem: "schedule \(name ?? task.name): \(error)")
        }
    }

    private func schedule<Output: Sendable>(
        _ name: String, _ timing: Timing, _ options: ScheduleOptions, _ signature: () throws -> Signature<Output>
    ) {
        do {
            let call = options.call
            if call.id != nil || call.eta != nil || call.countdown != nil || call.expiresAt != nil
                || call.workerHoldsETA != nil
            {
                throw ScheduleError(
                    .badOptions,
                    "its calls can have no id, ETA, countdown or fixed time of expiry: each tick has its own")
            }
            if let problem = call.problemOfPart { throw ScheduleError(.badOptions, "its calls: \(problem)") }
            let signature = try signature()
            let schedule = Schedule(name, timing, call: try PeriodicCall(signature), options: options)
            var problems = schedule.problems() + [sizeProblem(of: schedule.call)].compactMap { $0 }
            let kept = signature.call.taskOptions.resultExpires ?? settings.resultExpires
            if schedule.overlap != .allow, kept < schedule.overlapLimit {
                problems.append(
                    "overlap '\(schedule.overlap.rawValue)' knows by the task's status that it has ended, and that is kept for "
                        + "\(kept) only; make overlapLimit (\(schedule.overlapLimit)) no longer")
            }
            for problem in problems { add(problem: "schedule \(name): \(problem)") }
            if problems.isEmpty { register(schedule) }
        } catch {
            add(problem: "schedule \(name): \(error)")
        }
    }

    /// The schedules of the code, by name, each with the queue that its calls go to.
    public var ownSchedules: [Schedule] {
        registeredSchedules.map { schedule in
            var schedule = schedule
            schedule.call.queue = queue(for: schedule.call.task, schedule.call.queue)
            return schedule
        }
    }
}

extension PeriodicCall {
    /// The call that a signature stands for, with its task's options.
    /// - Throws: What the arguments or a retry policy of the call throw as JSON.
    init<Output>(_ signature: Signature<Output>) throws {
        let call = signature.options
        let task = signature.call.taskOptions
        self.init(signature.task, try signature.call.body.arguments(), queue: call.queue ?? task.queue)
        priority = call.priority ?? task.priority
        expires = call.expires ?? task.expires
        softTimeLimit = call.softTimeLimit ?? task.softTimeLimit
        timeLimit = call.timeLimit ?? task.timeLimit
        ignoresResult = call.ignoresResult ?? (task.ignoresResult ? true : nil)
        shadow = call.shadow
        headers = task.headers.merging(call.headers) { $1 }
        if let retry = call.retry { headers[RetryPolicy.header] = try JSON(encoding: retry) }
    }
}
