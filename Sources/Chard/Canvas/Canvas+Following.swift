// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Canvas {
    /// This, and then that.
    func followed(by next: Canvas) -> Canvas {
        if case .chain(let tasks) = form, options.isEmpty {
            var chain = self
            chain.form = .chain(tasks + [next])
            return chain
        }
        return Canvas(chain: [self, next])
    }

    /// A group, or a chain that ends in one, and then that with the list of its results: of a single member, too, which
    /// Celery's chains treat as if it stood alone.
    func joined(by body: Canvas) -> Canvas {
        switch form {
        case .chain(var tasks):
            guard let last = tasks.popLast() else { return body }
            var chain = self
            chain.form = .chain(tasks + [last.joined(by: body)])
            return chain
        case .group:
            var chord = Canvas(chord: [], body: body)
            chord.form = .chord(self, body: body)
            return chord
        case .task, .chord: return followed(by: body)
        }
    }
}
