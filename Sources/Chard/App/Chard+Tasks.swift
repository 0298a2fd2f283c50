// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// Registers a task: a name and what it does.
    ///
    /// Arguments and result are `Codable`. With `parameters` they also bind by keyword, as Python's callers may send them.
    /// A body that blocks its thread belongs to `blockingTask`.
    @discardableResult
    public func task<Output: Codable & Sendable, each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        register(name, .positional(parameters), options, returning: .codable()) {
            (_: TaskContext, arguments: repeat each Argument) in try await body(repeat each arguments)
        }
    }

    /// Registers a task whose body takes its context first.
    @discardableResult
    public func task<Output: Codable & Sendable, each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        register(name, .positional(parameters), options, returning: .codable(), body)
    }

    /// Registers a task that returns nothing; its result is `null`.
    @discardableResult
    public func task<each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (repeat each Argument) async throws -> Void
    ) -> TaskHandle<Void, repeat each Argument> {
        register(name, .positional(parameters), options, returning: .nothing) {
            (_: TaskContext, arguments: repeat each Argument) in try await body(repeat each arguments)
        }
    }

    /// Registers a task that takes its context first and returns nothing.
    @discardableResult
    public func task<each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Void
    ) -> TaskHandle<Void, repeat each Argument> {
        register(name, .positional(parameters), options, returning: .nothing, body)
    }

    /// Registers a task that takes the fields of one `Codable` value as keyword arguments.
    ///
    /// Swift's synthesised decoding ignores default values: make fields that may be absent optional.
    @discardableResult
    public func task<Fields: Codable & Sendable, Output: Codable & Sendable>(
        _ name: String, keywords: Fields.Type, options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, Fields) async throws -> Output
    ) -> TaskHandle<Output, Fields> {
        register(name, .keywords, options, returning: .codable(), body)
    }

    /// Registers a task that takes keyword arguments, as above, and returns nothing.
    @discardableResult
    public func task<Fields: Codable & Sendable>(
        _ name: String, keywords: Fields.Type, options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, Fields) async throws -> Void
    ) -> TaskHandle<Void, Fields> {
        register(name, .keywords, options, returning: .nothing, body)
    }

    /// Registers a task that takes any arguments, untyped: Python's `*args, **kwargs`.
    @discardableResult
    public func rawTask<Output: Codable & Sendable>(
        _ name: String, options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, Arguments) async throws -> Output
    ) -> TaskHandle<Output, Arguments> {
        register(name, .raw, options, returning: .codable(), body)
    }

    /// Registers a task that takes any arguments, untyped, and returns nothing.
    @discardableResult
    public func rawTask(
        _ name: String, options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable @concurrent (TaskContext, Arguments) async throws -> Void
    ) -> TaskHandle<Void, Arguments> {
        register(name, .raw, options, returning: .nothing, body)
    }

    /// Registers a task whose body blocks its thread: it runs on the worker's bounded pool of threads, as many as the
    /// worker's concurrency, and keeps no other task waiting.
    @discardableResult
    public func blockingTask<Output: Codable & Sendable, each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable (repeat each Argument) throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        registerBlocking(name, parameters, options, returning: .codable()) {
            (_: TaskContext, arguments: repeat each Argument) in try body(repeat each arguments)
        }
    }

    /// Registers a task whose body blocks its thread and takes its context first.
    @discardableResult
    public func blockingTask<Output: Codable & Sendable, each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable (TaskContext, repeat each Argument) throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        registerBlocking(name, parameters, options, returning: .codable(), body)
    }

    /// Registers a task whose body blocks its thread and returns nothing.
    @discardableResult
    public func blockingTask<each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable (repeat each Argument) throws -> Void
    ) -> TaskHandle<Void, repeat each Argument> {
        registerBlocking(name, parameters, options, returning: .nothing) {
            (_: TaskContext, arguments: repeat each Argument) in try body(repeat each arguments)
        }
    }

    /// Registers a task whose body blocks its thread, takes its context first and returns nothing.
    @discardableResult
    public func blockingTask<each Argument: Codable & Sendable>(
        _ name: String, parameters: [Parameter] = [], options: TaskOptions = TaskOptions(),
        _ body: @escaping @Sendable (TaskContext, repeat each Argument) throws -> Void
    ) -> TaskHandle<Void, repeat each Argument> {
        registerBlocking(name, parameters, options, returning: .nothing, body)
    }

    /// A task whose code is elsewhere, in Swift or in Python, with the types that its caller knows:
    /// `app.reference("py.add", taking: Int.self, Int.self, returning: Int.self)`.
    public func reference<Output: Codable & Sendable, each Argument: Codable & Sendable>(
        _ name: String, taking arguments: repeat (each Argument).Type, returning output: Output.Type,
        options: TaskOptions = TaskOptions()
    ) -> TaskHandle<Output, repeat each Argument> {
        TaskHandle(
            name: name, app: self, options: options,
            coder: ArgumentCoder<repeat each Argument>(task: name, shape: .positional([])),
            decodeOutput: OutputCoder<Output>.codable().decode)
    }

    /// A task whose code is elsewhere, and whose result says nothing: `app.reference("py.mail", taking: String.self)`.
    public func reference<each Argument: Codable & Sendable>(
        _ name: String, taking arguments: repeat (each Argument).Type, options: TaskOptions = TaskOptions()
    ) -> TaskHandle<Void, repeat each Argument> {
        TaskHandle(
            name: name, app: self, options: options,
            coder: ArgumentCoder<repeat each Argument>(task: name, shape: .positional([])),
            decodeOutput: OutputCoder.nothing.decode)
    }

    private func registerBlocking<Output: Sendable, each Argument: Codable & Sendable>(
        _ name: String, _ parameters: [Parameter], _ options: TaskOptions, returning output: OutputCoder<Output>,
        _ body: @escaping @Sendable (TaskContext, repeat each Argument) throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        register(name, .positional(parameters), options, returning: output, isBlocking: true) {
            (context: TaskContext, arguments: repeat each Argument) in
            try await context.blockingPool.run { try body(context, repeat each arguments) }
        }
    }

    private func register<Output: Sendable, each Argument: Codable & Sendable>(
        _ name: String, _ shape: ArgumentShape, _ options: TaskOptions, returning output: OutputCoder<Output>,
        isBlocking: Bool = false,
        _ body: @escaping @Sendable @concurrent (TaskContext, repeat each Argument) async throws -> Output
    ) -> TaskHandle<Output, repeat each Argument> {
        let coder = ArgumentCoder<repeat each Argument>(task: name, shape: shape)
        register(
            RegisteredTask(
                name: name, options: options, signature: coder.signature, isBlocking: isBlocking,
                parameters: shape.parameters, problems: options.problems + coder.problems
            ) { context, message in
                let arguments: (repeat each Argument)
                do {
                    arguments = try coder.decode(message)
                } catch {
                    throw UnboundArguments(error: TaskError(describing: error))
                }
                return try output.encode(try await body(context, repeat each arguments))
            })
        return TaskHandle(name: name, app: self, options: options, coder: coder, decodeOutput: output.decode)
    }
}

/// Encodes and decodes what a task returns.
struct OutputCoder<Output: Sendable>: Sendable {
    let encode: @Sendable (Output) throws -> [UInt8]
    let decode: @Sendable ([UInt8]) throws -> Output
}

extension OutputCoder where Output: Codable {
    static func codable() -> OutputCoder {
        OutputCoder(
            encode: { try JSON.encode($0) }, decode: { try JSON.decode(Output.self, from: $0[...], limits: .held) })
    }
}

extension OutputCoder where Output == Void {
    static var nothing: OutputCoder {
        OutputCoder(encode: { Array("null".utf8) }, decode: { _ in })
    }
}
