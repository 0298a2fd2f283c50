// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The members of a group, and what each gets from the whole: so much less than their messages that a hundred thousand of them can
/// wait to be sent.
struct Crowd: Sendable {
    /// How many members are too few for it.
    static let least = 1_000

    var members: [Canvas]
    /// The arguments that each gets before its own.
    var partial: [ArraySlice<UInt8>]
    /// Options over those of each.
    var options: [CanvasOption: ArraySlice<UInt8>]
    /// The body of the chord that they count for.
    var chord: ArraySlice<UInt8>?

    /// The options over those of one.
    func options(for member: Canvas) -> [CanvasOption: ArraySlice<UInt8>] {
        var options = options
        if let chord = chord ?? member.options[.chord] { options[.chord] = chord }
        options[.groupIndex] = member.options[.groupIndex]
        return options
    }

    /// How many bytes the body of the largest message has, about, and how many all of them.
    var bytes: (largest: Int, sum: Int) {
        let shared = partial.reduce(0) { $0 + $1.count } + (chord?.count ?? 0)
        var (largest, sum) = (0, 0)
        for member in members {
            let size = shared + member.bodyBytes
            largest = max(largest, size)
            sum += size
        }
        return (largest, sum)
    }
}

extension Canvas {
    /// How many bytes the body of its message has, about.
    fileprivate var bodyBytes: Int {
        var bytes =
            arguments.reduce(64) { $0 + $1.count } + keywords.reduce(0) { $0 + $1.name.utf8.count + $1.value.count }
        for option in [CanvasOption.link, .linkError, .chain, .chord] { bytes += options[option]?.count ?? 0 }
        return bytes
    }
}
