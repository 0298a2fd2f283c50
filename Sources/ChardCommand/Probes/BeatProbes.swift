// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// A beat, as it is seen from outside: it lives while it goes on, and is ready while it knows the schedules from the broker.
final class BeatProbes: ProbeSource {
    /// A beat looks each five seconds, and tries a broker that is away twice a second; a call to a broker takes up to five.
    private static let patience = Duration.seconds(20)

    private let beat: Beat
    private let registry = MetricRegistry()
    private let broker: ProbedBroker

    init(_ beat: Beat, of app: Chard) {
        self.beat = beat
        broker = ProbedBroker(app, Gauges(app, factory: registry))
    }

    func whyNotLive() async -> String? {
        guard let since = beat.sinceItMoved, since > Self.patience else { return nil }
        return "the beat stands still for \(Int(since.seconds)) s"
    }

    func whyNotReady() async -> String? {
        guard let since = beat.sinceItLooked else { return "the beat does not know the schedules yet, or has ended" }
        guard since > Self.patience else { return nil }
        return "the beat has not heard of the schedules for \(Int(since.seconds)) s: the broker is away"
    }

    func metrics() async -> String {
        await broker.record()
        return MetricText.render(registry)
    }
}
