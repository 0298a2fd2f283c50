// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Canvas {
    /// Reads a signature.
    /// - Throws: ``CanvasError`` that says what is wrong with it, and where.
    init(reading text: ArraySlice<UInt8>, depth: Int = 0) throws(CanvasError) {
        guard depth <= Self.deepest else {
            throw CanvasError("its signatures stand more than \(Self.deepest) deep within one another")
        }
        var reader = SignatureReader(text: text)
        do {
            try JSONScanner.read(text, limits: .held) { (scanner) throws(JSONError) in
                try reader.read(&scanner)
                try scanner.finish()
            }
        } catch {
            throw CanvasError("a signature is expected, an object with the member \"task\": \(error)")
        }
        self = try reader.canvas(depth: depth)
    }

    /// How deep signatures may stand within one another.
    static let deepest = 100

    /// The text of the signature, as Celery writes it.
    func encoded() -> ArraySlice<UInt8> {
        var writer = JSONWriter(capacity: 256)
        write(to: &writer)
        return writer.bytes[...]
    }

    private func write(to writer: inout JSONWriter) {
        writer.raw(#"{"task":"#)
        writer.string(task)
        writer.raw(#","args":"#)
        writer.raw(JSONText.array(arguments))
        writer.raw(#","kwargs":{"#)
        for keyword in keywords {
            writer.name(keyword.name)
            writer.raw(keyword.value)
        }
        switch form {
        case .task: break
        case .chain(let tasks), .group(let tasks):
            writer.key(#""tasks":"#)
            Self.write(tasks, to: &writer)
        case .chord(let header, let body):
            writer.key(#""kwargs":{},"header":"#)
            header.write(to: &writer)
            writer.raw(#","body":"#)
            body.write(to: &writer)
        }
        writer.raw(#"},"options":{"#)
        for option in options.keys.sorted() {
            writer.name(option.name)
            writer.raw(options[option] ?? JSONText.null)
        }
        writer.raw(#"},"subtask_type":"#)
        if let type { writer.string(type) } else { writer.raw("null") }
        writer.raw(#","immutable":"#)
        writer.bool(isImmutable)
        writer.raw("}")
    }

    private static func write(_ tasks: [Canvas], to writer: inout JSONWriter) {
        writer.raw("[")
        for (index, task) in tasks.enumerated() {
            if index > 0 { writer.raw(",") }
            task.write(to: &writer)
        }
        writer.raw("]")
    }

    /// Celery's `subtask_type`.
    private var type: String? {
        switch form {
        case .task: ["celery.map": "xmap", "celery.starmap": "xstarmap"][task]
        case .chain: "chain"
        case .group: "group"
        case .chord: "chord"
        }
    }
}

/// Goes through the text of a signature once.
private struct SignatureReader {
    let text: ArraySlice<UInt8>
    var task: String?
    var type: String?
    var arguments: [ArraySlice<UInt8>] = []
    var keywords: [MessageBody.Keyword] = []
    var options: [CanvasOption: ArraySlice<UInt8>] = [:]
    var isImmutable = false

    init(text: ArraySlice<UInt8>) { self.text = text }

    mutating func read(_ scanner: inout JSONScanner) throws(JSONError) {
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if scanner.matches(key, "task") {
                task = try scanner.stringIfAny()
            } else if scanner.matches(key, "subtask_type") {
                type = try scanner.stringIfAny()
            } else if scanner.matches(key, "immutable") {
                isImmutable = try scanner.value().bool ?? false
            } else if scanner.matches(key, "args"), scanner.next() == UInt8(ascii: "[") {
                try scanner.beginArray()
                while try scanner.nextElement() { arguments.append(text.piece(try scanner.valueRange())) }
            } else if scanner.matches(key, "kwargs"), scanner.next() == UInt8(ascii: "{") {
                try scanner.beginObject()
                while let name = try scanner.nextKey() {
                    keywords.append(
                        MessageBody.Keyword(name: scanner.string(name), value: text.piece(try scanner.valueRange())))
                }
            } else if scanner.matches(key, "options"), scanner.next() == UInt8(ascii: "{") {
                try scanner.beginObject()
                while let name = try scanner.nextKey() {
                    let value = text.piece(try scanner.valueRange())
                    if !value.elementsEqual(JSONText.null) { options[CanvasOption(scanner.string(name))] = value }
                }
            } else {
                try scanner.skipValue()
            }
        }
    }

    func canvas(depth: Int) throws(CanvasError) -> Canvas {
        guard let task, !task.isEmpty else {
            throw CanvasError("a signature has no member \"task\", expected the name of a task")
        }
        var canvas = Canvas(task: task)
        canvas.arguments = arguments
        canvas.keywords = keywords
        canvas.options = options
        canvas.isImmutable = isImmutable
        switch type {
        case "chain": canvas.form = .chain(try tasks("tasks", of: "chain", depth))
        case "group": canvas.form = .group(try tasks("tasks", of: "group", depth))
        case "chord":
            guard let body = canvas.keyword("body"), !body.elementsEqual(JSONText.null) else {
                throw CanvasError("a chord has no member \"body\", expected a signature")
            }
            canvas.form = .chord(try header(depth), body: try Canvas(reading: body, depth: depth + 1))
        default: return canvas
        }
        canvas.keywords = []
        return canvas
    }

    private func tasks(_ name: String, of form: String, _ depth: Int) throws(CanvasError) -> [Canvas] {
        guard let value = keywords.first(where: { $0.name == name })?.value, let texts = JSONText.elements(value) else {
            throw CanvasError("a \(form) has no member \"\(name)\", expected a list of signatures")
        }
        var tasks: [Canvas] = []
        for text in texts { tasks.append(try Canvas(reading: text, depth: depth + 1)) }
        return tasks
    }

    /// A header is a group, a list of signatures, or one.
    private func header(_ depth: Int) throws(CanvasError) -> Canvas {
        guard let value = keywords.first(where: { $0.name == "header" })?.value else {
            throw CanvasError("a chord has no member \"header\", expected signatures")
        }
        if JSONText.elements(value) != nil { return Canvas(group: try tasks("header", of: "chord", depth)) }
        let header = try Canvas(reading: value, depth: depth + 1)
        switch header.form {
        case .group: return header
        case .chain(let tasks): return Canvas(group: tasks)
        case .task, .chord: return Canvas(group: [header])
        }
    }
}

/// What follows a task cannot be read, or cannot be done.
public struct CanvasError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong, and what was expected.
    public let description: String

    init(_ description: String) { self.description = description }
}
