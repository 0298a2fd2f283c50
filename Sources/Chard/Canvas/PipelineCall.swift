// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A pipeline as an errback. A Celery worker would call a chain in its own process, with a request, an exception and a traceback,
/// which no message carries. So the errback is a builtin task that Swift workers run, and gives way to the pipeline.
enum PipelineCall {
    /// The name of the builtin task.
    static let task = "chard.call"

    static func signature(of pipeline: Canvas, on queue: String) -> Canvas {
        var canvas = Canvas(task: task)
        canvas.keywords = [MessageBody.Keyword(name: "pipeline", value: pipeline.encoded())]
        canvas.options["queue"] = JSONText.string(queue)
        return canvas
    }

    /// What takes the place of the builtin task.
    static func replacement(_ body: MessageBody) throws -> Replacement {
        guard let pipeline = body.keywords.first(where: { $0.name == "pipeline" })?.value else {
            throw UnboundArguments(error: .typeError("\(task)() takes a 'pipeline', as onFailure(...) writes it"))
        }
        return Replacement(try Canvas(reading: pipeline).called(with: body.positional))
    }
}
