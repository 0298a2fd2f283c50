// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskMessage {
    /// Decodes, decompresses and takes apart the body.
    ///
    /// The arguments come as slices of the body's text, checked to be JSON. Of keyword arguments with the same name the
    /// last one counts. A body in the form of protocol 1, an object, is understood as well.
    public func decodeBody(limits: MessageLimits = .default) throws(MessageError) -> MessageBody {
        do {
            return try MessageBody(decoding: body.text(compression: compression, limits: limits), limits: limits)
        } catch {
            var error = error
            error.partialID = id
            error.partialTask = task
            throw error
        }
    }
}

extension TaskMessage.Body {
    /// The body's JSON text. Lengths are checked before memory is taken.
    func text(compression: String?, limits: MessageLimits) throws(MessageError) -> [UInt8] {
        guard case .token(let token, let isBase64) = storage else {
            if case .text(let text, _) = storage { return text }
            return []
        }
        func tooLarge(_ count: Int) -> MessageError {
            MessageError(.tooLarge, "the body has more than \(limits.bodyBytes) bytes")
        }
        let content = token.dropFirst().dropLast()
        guard (isBase64 ? content.count / 4 * 3 - 2 : content.count / 6) <= limits.bodyBytes else {
            throw tooLarge(content.count)
        }
        var bytes: [UInt8]
        if isBase64 {
            // Hardly anybody escapes a base64 text, where only a slash could be, or breaks it into lines.
            let decoded =
                content.withUnsafeBufferPointer { Base64.decode($0) } ?? Base64.decodeLeniently(unescape(token))
            guard let decoded else {
                throw MessageError(.badBody, "the body is not base64, though properties.body_encoding says so")
            }
            bytes = decoded
        } else {
            bytes = unescape(token)
        }
        switch compression {
        case nil, "": break
        // kombu calls both gzip and zlib so, and the bytes are zlib's.
        case "application/x-gzip": bytes = try Inflate.inflate(bytes, limit: limits.bodyBytes)
        case let other?:
            throw MessageError(
                .unsupportedCompression, "the body is compressed as \(other.limited), expected application/x-gzip")
        }
        guard bytes.count <= limits.bodyBytes else { throw tooLarge(bytes.count) }
        return bytes
    }

    /// What the string stands for, which was checked when the envelope was read.
    private func unescape(_ token: ArraySlice<UInt8>) -> [UInt8] {
        let bytes = try? JSONScanner.read(token, limits: MessageLimits.none.message) { (scanner) throws(JSONError) in
            scanner.bytes(StringToken(start: 1, end: scanner.end - 1, hasEscapes: true))
        }
        return bytes ?? []
    }
}

extension MessageBody {
    /// Takes apart the text of a body.
    init(decoding text: [UInt8], limits: MessageLimits) throws(MessageError) {
        var reader = BodyReader(text: text)
        do {
            try JSONScanner.read(text[...], limits: limits.body) { (scanner) throws(JSONError) in
                try reader.read(&scanner)
                try scanner.finish()
            }
        } catch {
            throw MessageError(error, part: "the body", code: .badBody)
        }
        if let defect = reader.defect { throw MessageError(.badBody, defect) }
        // To copy a body takes a reference to each of its parts.
        self.init()
        swap(&self, &reader.body)
    }
}

/// Goes through the text of a body once.
struct BodyReader {
    private let text: [UInt8]
    fileprivate(set) var body = MessageBody()
    /// What is wrong with a body that is proper JSON.
    private(set) var defect: String?

    init(text: [UInt8]) { self.text = text }

    mutating func read(_ scanner: inout JSONScanner) throws(JSONError) {
        switch scanner.next() {
        case UInt8(ascii: "["):
            try scanner.beginArray()
            var count = 0
            while try scanner.nextElement() {
                switch count {
                case 0: try readPositional(&scanner)
                case 1: try readKeywords(&scanner)
                case 2: try readEmbed(&scanner)
                default: try scanner.skipValue()
                }
                count += 1
            }
            if count != 3 { note("the body has \(count) elements, expected 3: [args, kwargs, embed]") }
        case UInt8(ascii: "{"):
            try readObject(&scanner)
        default:
            try scanner.skipValue()
            note("the body is neither an array nor an object, expected [args, kwargs, embed]")
        }
    }

    private mutating func note(_ defect: String) { self.defect = self.defect ?? defect }

    /// The body of protocol 1, where all but `args` may be missing.
    private mutating func readObject(_ scanner: inout JSONScanner) throws(JSONError) {
        var isBody = false
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            if scanner.matches(key, "args") {
                isBody = true
                try readPositional(&scanner)
            } else if scanner.matches(key, "kwargs") {
                isBody = true
                try readKeywords(&scanner)
            } else if scanner.matches(key, "task") {
                isBody = true
                try scanner.skipValue()
            } else {
                try readFollower(key, &scanner)
            }
        }
        if !isBody { note("the body is an object without args, expected [args, kwargs, embed]") }
    }

    private mutating func readPositional(_ scanner: inout JSONScanner) throws(JSONError) {
        if scanner.next() == UInt8(ascii: "{") { return try readNumbered(&scanner) }
        guard scanner.next() == UInt8(ascii: "[") else {
            note("the positional arguments must be an array, not \(scanner.kind)")
            return try scanner.skipValue()
        }
        body.positional = []
        try scanner.beginArray()
        while try scanner.nextElement() {
            // Room for what most tasks take, rather than grown from one to two to four.
            if body.positional.isEmpty { body.positional.reserveCapacity(4) }
            body.positional.append(text[try scanner.valueRange()])
        }
    }

    /// Positional arguments as an object: what PHP makes of a list whose places were touched. Its keys are the places.
    private mutating func readNumbered(_ scanner: inout JSONScanner) throws(JSONError) {
        var values: [Int: ArraySlice<UInt8>] = [:]
        var count = 0
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let name = scanner.string(key)
            let value = text[try scanner.valueRange()]
            count += 1
            if let place = Int(name), "\(place)" == name { values[place] = value }
        }
        body.positional = []
        for place in 0..<count {
            guard let value = values[place] else {
                return note(
                    "the positional arguments are an object whose keys are not 0, 1, 2 and so on, expected an array such as "
                        + "[2, 3]; arguments with names belong into the second element, {\"x\": 2}")
            }
            body.positional.append(value)
        }
    }

    private mutating func readKeywords(_ scanner: inout JSONScanner) throws(JSONError) {
        if try scanner.takeEmptyArray() {
            body.keywords = []
            return
        }
        guard scanner.next() == UInt8(ascii: "{") else {
            note("the keyword arguments must be an object, not \(scanner.kind)")
            return try scanner.skipValue()
        }
        body.keywords = []
        var places: [String: Int] = [:]
        try scanner.beginObject()
        while let key = try scanner.nextKey() {
            let name = scanner.string(key)
            let value = text[try scanner.valueRange()]
            if let place = places.updateValue(body.keywords.count, forKey: name) {
                guard body.keywords[place].name.utf8.elementsEqual(name.utf8) else { throw scanner.lookalike }
                places[name] = place
                body.keywords[place].value = value
            } else {
                body.keywords.append(MessageBody.Keyword(name: name, value: value))
            }
        }
    }

    private mutating func readEmbed(_ scanner: inout JSONScanner) throws(JSONError) {
        if try scanner.takeNull() { return }
        if try scanner.takeEmptyArray() { return }
        guard scanner.next() == UInt8(ascii: "{") else {
            note("the third element of the body must be an object, not \(scanner.kind)")
            return try scanner.skipValue()
        }
        try scanner.beginObject()
        while let key = try scanner.nextKey() { try readFollower(key, &scanner) }
    }

    private mutating func readFollower(_ key: StringToken, _ scanner: inout JSONScanner) throws(JSONError) {
        if scanner.matches(key, "callbacks") {
            body.embed.callbacks = try readSignatures(&scanner)
        } else if scanner.matches(key, "errbacks") {
            body.embed.errbacks = try readSignatures(&scanner)
        } else if scanner.matches(key, "chain") {
            body.embed.chain = try readSignatures(&scanner)
        } else if scanner.matches(key, "chord") {
            body.embed.chord = try readSignatures(&scanner).first
        } else {
            try scanner.skipValue()
        }
    }

    /// A list of signatures, or one alone; null and `{}` mean none.
    private mutating func readSignatures(_ scanner: inout JSONScanner) throws(JSONError) -> [ArraySlice<UInt8>] {
        switch scanner.next() {
        case UInt8(ascii: "["):
            var signatures: [ArraySlice<UInt8>] = []
            try scanner.beginArray()
            while try scanner.nextElement() { signatures.append(text[try scanner.valueRange()]) }
            return signatures
        case UInt8(ascii: "{"):
            let signature = text[try scanner.valueRange()]
            let isEmpty = signature.dropFirst().first { $0 > 0x20 } == UInt8(ascii: "}")
            return isEmpty ? [] : [signature]
        case UInt8(ascii: "n"):
            try scanner.skipValue()
            return []
        default:
            note("what follows the task must be signatures, not \(scanner.kind)")
            try scanner.skipValue()
            return []
        }
    }
}

extension JSONScanner {
    /// Takes an array that has nothing in it, which is how PHP writes an empty object; leaves any other value where it is.
    fileprivate mutating func takeEmptyArray() throws(JSONError) -> Bool {
        guard next() == UInt8(ascii: "[") else { return false }
        var ahead = self
        try ahead.beginArray()
        guard try !ahead.nextElement() else { return false }
        self = ahead
        return true
    }

    /// What kind of value stands here, in words.
    fileprivate var kind: String {
        switch position < end ? base[position] : 0 {
        case UInt8(ascii: "n"): "null"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "a boolean"
        case UInt8(ascii: "\""): "a string"
        case UInt8(ascii: "["): "an array"
        case UInt8(ascii: "{"): "an object"
        default: "a number"
        }
    }
}
