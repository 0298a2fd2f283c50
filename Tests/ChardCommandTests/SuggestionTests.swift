// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardCommand

@Suite("A misspelt name is answered with the one that was meant")
struct SuggestionTests {
    private static let known = Setting.all.map(\.name)

    @Test(
        "The nearest name is found",
        arguments: [
            ("brokr_url", "broker_url"), ("broker-url", "broker_url"), ("brokerUrl", "broker_url"),
            ("broker", "broker_url"), ("results", "results_url"), ("result_url", "results_url"),
            ("concurrency", "worker_concurrency"), ("worker_concurency", "worker_concurrency"),
            ("queues", "worker_queues"), ("log_leevl", "log_level"), ("loglevel", "log_level"),
            ("key_prefixes", "key_prefix"),
        ])
    func nearest(name: String, meant: String) {
        #expect(Suggestion.nearest(to: name, among: Self.known) == meant)
    }

    @Test(
        "What is near to nothing has no suggestion", arguments: ["colour", "url", "x", "", "worker", "result_backend"])
    func noneIsNear(name: String) {
        #expect(Suggestion.nearest(to: name, among: Self.known) == nil)
    }

    @Test("Where none is near, the hint lists all")
    func hint() {
        #expect(Suggestion.hint(for: "tact", among: ["trace", "info"]) == "; known are trace, info")
        #expect(Suggestion.hint(for: "inof", among: ["trace", "info"]) == "; did you mean \"info\"?")
    }
}
