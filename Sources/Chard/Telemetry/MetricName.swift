// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The metrics that Chard tells, with their names in the style of Prometheus: counters end in `total`, times are in seconds.
public enum MetricName: String, Sendable, CaseIterable {
    /// Runs that were begun, by task and queue.
    case started = "chard_tasks_started_total"
    /// Runs that ended well, by task and queue.
    case succeeded = "chard_tasks_succeeded_total"
    /// Tasks that failed for good, by task and queue.
    case failed = "chard_tasks_failed_total"
    /// Runs that failed and are to be tried again, by task and queue.
    case retried = "chard_tasks_retried_total"
    /// Tasks that were begun again because the worker that ran them was lost, by task and queue.
    case lost = "chard_tasks_lost_total"
    /// Ends that count for nothing because another worker had the task by then, by task and queue.
    case fenced = "chard_tasks_fenced_total"
    /// Tasks whose message became a dead letter, by task and queue.
    case dead = "chard_tasks_dead_total"
    /// Tasks that were revoked, terminated or too late, by task and queue.
    case revoked = "chard_tasks_revoked_total"
    /// How long runs took.
    case runTime = "chard_task_run_seconds"
    /// How long tasks waited for their start after they were sent, or after their time had come.
    case waitingTime = "chard_task_wait_seconds"

    /// Messages that wait in a queue.
    case waiting = "chard_queue_waiting"
    /// Messages of a queue that wait for their time.
    case delayed = "chard_queue_delayed"
    /// Messages of a queue that workers hold.
    case leased = "chard_queue_leased"
    /// Dead letters of a queue.
    case deadLetters = "chard_queue_dead_letters"
    /// How long the next message of a queue has existed; 0 where the queue is empty or the message does not say.
    case oldest = "chard_queue_oldest_seconds"
    /// 1 where a queue is paused.
    case paused = "chard_queue_paused"
    /// How many of Chard's workers serve a queue, each of several processes counted.
    case servers = "chard_queue_workers"
    /// 1 where the broker answered when it was last asked.
    case brokerUp = "chard_broker_up"

    /// How many tasks a worker runs at once.
    case slots = "chard_worker_slots"
    /// How many it runs.
    case running = "chard_worker_running"
    /// How many messages it has in hand, those that run among them.
    case held = "chard_worker_held"
    /// How many messages it may have in hand.
    case window = "chard_worker_window"
    /// 1 where it takes work.
    case consuming = "chard_worker_consuming"
    /// For how long its intake has had no answer, where that is too long; else 0.
    case stalled = "chard_worker_stalled_seconds"
    /// Open connections to the broker.
    case connections = "chard_broker_connections"
    /// How often a connection to the broker was lost and opened again.
    case reconnects = "chard_broker_reconnects_total"

    /// What it tells, in a sentence.
    public var help: String {
        switch self {
        case .started: "Runs that were begun."
        case .succeeded: "Runs that ended well."
        case .failed: "Tasks that failed for good."
        case .retried: "Runs that failed and are to be tried again."
        case .lost: "Tasks that were begun again because the worker that ran them was lost."
        case .fenced: "Ends that count for nothing because another worker had the task by then."
        case .dead: "Tasks whose message became a dead letter."
        case .revoked: "Tasks that were revoked, terminated or too late."
        case .runTime: "How long runs took."
        case .waitingTime: "How long tasks waited for their start after they were sent, or after their time had come."
        case .waiting: "Messages that wait in a queue."
        case .delayed: "Messages of a queue that wait for their time."
        case .leased: "Messages of a queue that workers hold."
        case .deadLetters: "Dead letters of a queue."
        case .oldest: "How long the next message of a queue has existed, where it says when it was sent."
        case .paused: "1 where a queue is paused."
        case .servers: "How many workers of Chard serve a queue."
        case .brokerUp: "1 where the broker answered when it was last asked."
        case .slots: "How many tasks the worker runs at once."
        case .running: "How many tasks the worker runs."
        case .held: "How many messages the worker has in hand."
        case .window: "How many messages the worker may have in hand."
        case .consuming: "1 where the worker takes work."
        case .stalled: "For how long the intake of the worker has had no answer, where that is too long; else 0."
        case .connections: "Open connections to the broker."
        case .reconnects: "How often a connection to the broker was lost and opened again."
        }
    }
}
