// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskMessage {
    /// What the body asks to follow the task, where the arguments before that cannot be read, since they are nested too deep: whoever
    /// waits for what follows is to be told. `nil` where that cannot be read either.
    func salvagedEmbed(limits: MessageLimits) -> Embed? {
        guard let text = try? body.text(compression: compression, limits: limits),
            let embed = Self.thirdElement(of: text)
        else { return nil }
        return try? MessageBody(decoding: Array("[[],{},".utf8) + embed + Array("]".utf8), limits: .held).embed
    }

    /// The third element of an array of three, found by counting brackets, so that no depth is too much.
    private static func thirdElement(of text: [UInt8]) -> ArraySlice<UInt8>? {
        var (depth, commas, end) = (0, [Int](), Int?.none)
        var (isInString, isEscaped) = (false, false)
        for (index, byte) in text.enumerated() {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { end = end ?? index }
            case UInt8(ascii: ",") where depth == 1: commas.append(index)
            default: break
            }
        }
        guard commas.count == 2, let end, commas[1] < end else { return nil }
        return text[(commas[1] + 1)..<end]
    }
}
