// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Hummingbird
import Synchronization

/// A request context through which handlers leave work for later: after the response, or in a worker.
///
/// ``TasksContext`` is one, ready to use. A context of your own gets there with one more stored property:
/// ```swift
/// struct SiteContext: TasksRequestContext {
///     var coreContext: CoreRequestContextStorage
///     let tasks = RequestTasks()
///     init(source: Source) { coreContext = .init(source: source) }
/// }
/// ```
/// The router needs a ``TasksMiddleware``, before the routes.
public protocol TasksRequestContext: RequestContext {
    /// What the request has left.
    var tasks: RequestTasks { get }
}

/// A request context with tasks, and nothing else of its own.
public struct TasksContext: TasksRequestContext {
    /// Hummingbird's part.
    public var coreContext: CoreRequestContextStorage
    /// What the request has left.
    public let tasks = RequestTasks()

    /// Makes a context, as Hummingbird does for each request.
    public init(source: Source) {
        coreContext = .init(source: source)
    }
}

/// What a request has left to be run after its response, and where tickets are redeemed. One for each request.
public final class RequestTasks: Sendable {
    private struct State {
        var calls: [LocalCall] = []
        var background: BackgroundTasks?
        var jobs: Jobs?
        var sendTimeout: Duration?
    }

    private let state = Mutex(State())

    /// Makes an empty one.
    public init() {}

    // A response that some middleware has replaced is never written here; what was left is run all the same.
    deinit { send() }

    func begin(_ background: BackgroundTasks, _ jobs: Jobs?, _ sendTimeout: Duration?) {
        state.withLock { ($0.background, $0.jobs, $0.sendTimeout) = (background, jobs, sendTimeout) }
    }

    /// Where tickets are redeemed, if anywhere.
    var jobs: Jobs? { state.withLock { $0.jobs } }

    func surroundings() throws(AppError) -> (background: BackgroundTasks, jobs: Jobs?) {
        let (background, jobs) = state.withLock { ($0.background, $0.jobs) }
        guard let background else {
            throw AppError("this route has no tasks: add a TasksMiddleware to the router, before the route")
        }
        return (background, jobs)
    }

    /// Sends something within the time that the site has set for it.
    func sending<Value: Sendable>(_ send: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let limit = state.withLock({ $0.sendTimeout }) else { return try await send() }
        let answer = FirstAnswer<Value, any Error>()
        // A task of its own, so that a broker that does not even answer to its cancellation keeps no client waiting.
        let sending = Task {
            do { answer.give(.success(try await send())) } catch { answer.give(.failure(error)) }
        }
        let timer = Task {
            try await Task.sleep(for: limit)
            if answer.give(.failure(BrokerError(.unavailable, "the broker did not take the task within \(limit)"))) {
                sending.cancel()
            }
        }
        defer { timer.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            answer.whenGiven { continuation.resume(with: $0) }
        }
    }

    func add(_ call: LocalCall) {
        state.withLock { $0.calls.append(call) }
    }

    /// Forgets what was left: the handler has failed.
    func discard() {
        state.withLock { $0.calls = [] }
    }

    /// Lets run what was left.
    func send() {
        let (calls, background) = state.withLock { state in
            defer { state.calls = [] }
            return (state.calls, state.background)
        }
        if !calls.isEmpty { background?.take(calls) }
    }
}
