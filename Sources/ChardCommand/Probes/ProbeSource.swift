// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What is asked from outside, and by what it is answered.
protocol ProbeSource: Sendable {
    /// What keeps the process from working, so that it should be started anew; `nil` while it lives.
    func whyNotLive() async -> String?
    /// What keeps it from taking work just now; `nil` while it does.
    func whyNotReady() async -> String?
    /// What there is to measure, in Prometheus' text.
    func metrics() async -> String
}

/// An answer of a ``ProbeServer``.
struct ProbeAnswer: Sendable, Hashable {
    var status: Int
    var type = "text/plain; charset=utf-8"
    var text: String

    /// What `source` answers to a request.
    init(to method: String, _ path: String, by source: any ProbeSource) async {
        guard method == "GET" || method == "HEAD" else {
            self.init(status: 405, text: "only GET and HEAD are answered here\n")
            return
        }
        switch path.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).first ?? "" {
        case "/live": self.init(problem: await source.whyNotLive(), else: "live")
        case "/ready": self.init(problem: await source.whyNotReady(), else: "ready")
        case "/metrics": self.init(status: 200, type: MetricText.contentType, text: await source.metrics())
        default: self.init(status: 404, text: "there are /live, /ready and /metrics\n")
        }
    }

    private init(problem: String?, else fine: String) {
        self.init(status: problem == nil ? 200 : 503, text: "\(problem ?? fine)\n")
    }

    private init(status: Int, type: String = "text/plain; charset=utf-8", text: String) {
        self.status = status
        self.type = type
        self.text = text
    }
}
