// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The form that adds or changes a schedule.
enum ScheduleFields {
    /// The fields of the form that adds or changes one.
    static let template = """
        <div><label for="task">Task</label><input id="task" name="task" value="{{task}}" placeholder="shop.report"></div>
        <div><label for="cron">Cron</label><input id="cron" name="cron" value="{{cron}}" placeholder="30 7 * * MON-FRI"></div>
        <div><label for="time_zone">Time zone of cron</label><input id="time_zone" name="time_zone" value="{{time_zone}}" placeholder="UTC"></div>
        <div><label for="every">or every so many seconds</label><input id="every" name="every" value="{{every}}" inputmode="decimal" placeholder="60"></div>
        <div><label for="args">Arguments, a JSON array</label><input id="args" name="args" value="{{args_text}}" placeholder="[]"></div>
        <div><label for="kwargs">Keyword arguments, a JSON object</label><input id="kwargs" name="kwargs" value="{{kwargs_text}}" placeholder="{}"></div>
        <div><label for="queue">Queue</label><input id="queue" name="queue" value="{{queue}}" placeholder="where the beat's routes lead"></div>
        """
}
