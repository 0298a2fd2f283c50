// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A pattern as Python's `fnmatch` reads it. It never takes longer than the pattern's length times the name's.
struct GlobPattern: Sendable {
    private enum Piece {
        case character(Character)
        case any
        case run
        case oneOf([ClosedRange<Character>], isNegated: Bool)

        func matches(_ character: Character) -> Bool {
            switch self {
            case .character(let own): own == character
            case .any: true
            case .run: false
            case .oneOf(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
            }
        }
    }

    private var pieces: [Piece] = []

    init(_ pattern: String) {
        var rest = Array(pattern)[...]
        while let character = rest.popFirst() {
            switch character {
            case "*":
                if case .run = pieces.last {} else { pieces.append(.run) }
            case "?": pieces.append(.any)
            case "[": pieces.append(Self.takeSet(from: &rest) ?? .character("["))
            default: pieces.append(.character(character))
            }
        }
    }

    /// What follows a bracket, if it is closed. A bracket that comes first is one of the characters.
    private static func takeSet(from rest: inout ArraySlice<Character>) -> Piece? {
        var content = rest
        let isNegated = content.first == "!"
        if isNegated { content = content.dropFirst() }
        guard let end = content.dropFirst().firstIndex(of: "]") else { return nil }
        var characters = content[..<end]
        var ranges: [ClosedRange<Character>] = []
        while let first = characters.popFirst() {
            if characters.count >= 2, characters.first == "-" {
                let last = characters[characters.startIndex + 1]
                characters = characters.dropFirst(2)
                if first <= last { ranges.append(first...last) }
            } else {
                ranges.append(first...first)
            }
        }
        rest = rest[(end + 1)...]
        return .oneOf(ranges, isNegated: isNegated)
    }

    /// Whether it stands for the whole of `name`.
    func matches(_ name: String) -> Bool {
        let name = Array(name)
        var (piece, character) = (0, 0)
        // Behind the last run: only that one can take more.
        var retry: (piece: Int, character: Int)?
        while character < name.count {
            if piece < pieces.count, case .run = pieces[piece] {
                piece += 1
                retry = (piece, character)
            } else if piece < pieces.count, pieces[piece].matches(name[character]) {
                piece += 1
                character += 1
            } else if let last = retry {
                retry?.character += 1
                (piece, character) = (last.piece, last.character + 1)
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { if case .run = $0 { true } else { false } }
    }
}
