// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

extension Page {
    /// The broker, and what about it endangers tasks.
    static let broker = Page(
        "/broker", in: .broker, title: "Broker",
        summary: "The broker's memory, persistence, eviction and clients, its round trip, and what `doctor` finds.",
        load: { question in
            let facts = question.facts
            let broker = try facts.app.broker
            let clock = ContinuousClock()
            // The smallest question that every broker answers.
            let began = clock.now
            _ = try await broker.status(of: "none")
            let tripTime = began.duration(to: clock.now).seconds
            let findings = await facts.findings.value()
            return [
                "broker": BrokerDocument.health(findings, at: broker.location),
                "round_trip": .number((tripTime * 1_000_000).rounded() / 1_000_000),
                "is_looking": .bool(findings == nil),
                "findings": .array(BrokerDocument.sorted(findings ?? []).map(BrokerDocument.finding)),
                "history": BrokerDocument.history(broker.power(.history)?.historyLimits),
            ]
        },
        template: """
            <div data-part="figures">
            {{#broker}}<p>{{#severity}}{{> state}} {{/severity}}{{text}}</p>
            <ul class="cards"><li class="wide"><b class="id">{{location}}</b>where it is</li>{{/broker}}
            <li><b>{{span(round_trip)}}</b>round trip</li>
            {{#history}}<li>{{#is_kept}}<b>{{count(attempts)}}</b>attempts of history at most, for {{span(seconds)}}{{/is_kept}}{{^is_kept}}<b>–</b>no history is kept{{/is_kept}}</li>{{/history}}</ul>
            </div>
            <h2>What was looked at</h2>
            <div class="scroll" data-part="findings"><table>
            <thead><tr><th>State</th><th>What</th><th>Found</th><th>Advice</th></tr></thead>
            <tbody>
            {{#findings}}<tr><td>{{#severity}}{{> state}}{{/severity}}</td><td>{{subject}}</td><td class="text">{{text}}</td><td class="text">{{advice}}</td></tr>
            {{/findings}}
            {{^findings}}<tr><td class="none" colspan="4">{{#is_looking}}Looking …{{/is_looking}}{{^is_looking}}Nothing is known of this broker.{{/is_looking}}</td></tr>{{/findings}}
            </tbody></table></div>
            """)
}

/// The broker as pages have it.
enum BrokerDocument {
    /// How it stands, in a line.
    static func health(_ findings: [Finding]?, at location: String) -> JSON {
        var document: JSON = ["location": .string(location)]
        guard let findings else {
            document["text"] = "Looking at the broker …"
            return document
        }
        let worst = findings.max { $0.severity.weight < $1.severity.weight }
        document["severity"] = .string(worst?.severity.rawValue ?? "fine")
        let bad = findings.filter { $0.severity != .fine }
        guard let worst, !bad.isEmpty else {
            document["text"] = "The broker is as it should be."
            return document
        }
        let rest = bad.count > 1 ? " And \(bad.count - 1) more." : ""
        document["text"] = .string("\(worst.subject): \(worst.text).\(rest)")
        return document
    }

    /// The worst first.
    static func sorted(_ findings: [Finding]) -> [Finding] {
        findings.filter { $0.severity == .danger } + findings.filter { $0.severity == .warning }
            + findings.filter { $0.severity == .fine }
    }

    static func finding(_ finding: Finding) -> JSON {
        [
            "severity": .string(finding.severity.rawValue), "subject": .string(finding.subject),
            "text": .string(finding.text), "advice": .string(finding.advice),
        ]
    }

    static func history(_ limits: HistoryLimits?) -> JSON {
        guard let limits, limits.isKept else { return ["is_kept": false] }
        return [
            "is_kept": true, "attempts": .integer(limits.attempts), "seconds": .number(limits.timeToLive.seconds),
        ]
    }
}
