// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import FoundationEssentials
import Mustache

/// A value of a page's document, as its template sees it: objects have members, arrays are sections, and texts are made safe.
///
/// In templates, `{{ago(ended_at)}}` and the like say in which words it is shown: see ``transform(_:)``.
struct Shown: MustacheParent, MustacheTransformable, MustacheCustomRenderable {
    let value: JSON
    let now: Date

    /// What a template sees of a value; `nil` where there is nothing to be seen.
    static func view(of value: JSON, now: Date) -> Any? {
        switch value {
        case .null: nil
        case .bool(let value): value
        case .array(let values): ShownList(values: values, now: now)
        default: Shown(value: value, now: now)
        }
    }

    func child(named name: String) -> Any? { value[name].flatMap { Self.view(of: $0, now: now) } }

    /// Empty texts are nothing, so that sections can ask for them.
    var isNull: Bool { if case .string("") = value { true } else { false } }

    var renderText: String {
        switch value {
        case .string(let text): SafeText.clean(text)
        default: SafeText.clean(String(decoding: value.encoded(), as: UTF8.self))
        }
    }

    /// The value in other words: `ago`, `time` and `until` of times; `count`, `bytes`, `span` and `coarse` (of seconds) and `percent` of
    /// numbers; `path` and `query` for parts of addresses; `short` for a text in a line of a table; `pretty` for a value with its
    /// structure; and between three braces `exact`, for what a form sends back, and `graph`, which draws one.
    func transform(_ name: String) -> Any? {
        switch name {
        case "ago": date.map { Wording.ago($0, now: now) }
        case "until": date.map { Wording.until($0, now: now) }
        case "time": date.map(Wording.time)
        case "count": value.number.map(Wording.count)
        case "bytes": value.number.map(Wording.bytes)
        case "span": value.number.map { Wording.span($0) }
        // When messages were sent they say in whole seconds.
        case "coarse": value.number.map { $0 < 1 ? "< 1 s" : Wording.span($0) }
        case "percent": value.number.map { "\(Int(($0 * 100).rounded())) %" }
        case "positive": (value.number ?? 0) > 0
        case "path", "query": PercentCoding.encode(value.string ?? renderText)
        case "short": SafeText.clean(value.string ?? renderText, most: 120)
        case "exact": ExactText.escape(value.string ?? renderText)
        case "graph": GraphDrawing.svg(of: value)
        case "pretty": SafeText.clean(PrettyJSON.text(of: value))
        default: nil
        }
    }

    private var date: Date? { value.string.flatMap(Timestamp.date(from:)) }
}

/// A list of a page's document. An empty one is nothing, so that `{{^list}}` can say so.
struct ShownList: MustacheSequence, MustacheTransformable {
    let values: [JSON]
    let now: Date

    func makeIterator() -> AnyIterator<Any> {
        var rest = values[...]
        // What is null has its place, too.
        return AnyIterator { rest.popFirst().map { Shown.view(of: $0, now: now) ?? "" } }
    }

    /// `size`; and of numbers, or of objects with `value`, `from` and more, a chart: see ``Chart``.
    func transform(_ name: String) -> Any? {
        switch name {
        case "size": Wording.count(Double(values.count))
        case "spark": Chart.spark(values)
        case "bars": Chart.bars(values)
        default: nil
        }
    }
}
