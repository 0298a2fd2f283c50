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
        var (commas, end) = ([Int](), Int?.none)
        JSONBrackets.walk(text) { byte, index, depth in
            switch byte {
            case UInt8(ascii: ",") where depth == 1: commas.append(index)
            case UInt8(ascii: "]") where depth == 0, UInt8(ascii: "}") where depth == 0: end = end ?? index
            default: break
            }
        }
        guard commas.count == 2, let end, commas[1] < end else { return nil }
        return text[(commas[1] + 1)..<end]
    }
}
