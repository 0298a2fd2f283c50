// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import CoreMetrics
import Testing

@testable import ChardCommand

@Suite("Metrics for Prometheus")
struct MetricRegistryTests {
    let registry = MetricRegistry()

    @Test("counters, gauges, histograms and summaries as Prometheus reads them, with help for Chard's own")
    func text() {
        Counter(label: "chard_tasks_started_total", dimensions: [("task", "a"), ("queue", "q")], factory: registry)
            .increment(by: 3)
        Counter(label: "shop.orders", factory: registry).increment()
        Gauge(label: "shop-stock", factory: registry).record(1.5)
        Recorder(label: "sizes", factory: registry).record(7)
        let timer = Timer(label: "chard_task_run_seconds", factory: registry)
        timer.recordNanoseconds(2_000_000)
        timer.recordNanoseconds(400_000_000_000)
        timer.recordNanoseconds(7_200_000_000_000)
        let text = MetricText.render(registry)
        let expected = [
            "# HELP chard_tasks_started_total Runs that were begun.\n# TYPE chard_tasks_started_total counter\n"
                + "chard_tasks_started_total{queue=\"q\",task=\"a\"} 3\n",
            "# TYPE shop_orders_total counter\nshop_orders_total 1\n",
            "# TYPE shop_stock gauge\nshop_stock 1.5\n",
            "# TYPE sizes summary\nsizes_sum 7\nsizes_count 1\n",
            "chard_task_run_seconds_bucket{le=\"0.001\"} 0\nchard_task_run_seconds_bucket{le=\"0.0025\"} 1\n",
            "chard_task_run_seconds_bucket{le=\"300\"} 1\nchard_task_run_seconds_bucket{le=\"1800\"} 2\n",
            "chard_task_run_seconds_bucket{le=\"3600\"} 2\nchard_task_run_seconds_bucket{le=\"+Inf\"} 3\n",
            "chard_task_run_seconds_sum 7600.002\nchard_task_run_seconds_count 3\n",
        ]
        for part in expected { #expect(text.contains(part), "\(text)") }
    }

    @Test("whatever is in a name or a label, each series stays one line")
    func escaping() {
        Counter(label: "9 lives\n#", dimensions: [("a b:c", "q\"\\\r\nHELP x\n")], factory: registry).increment()
        let text = MetricText.render(registry)
        #expect(
            text == "# TYPE _9_lives___total counter\n_9_lives___total{a_b_c=\"q\\\"\\\\\r\\nHELP x\\n\"} 1\n",
            "\(text.debugDescription)")
    }

    @Test("a name has one kind, a series that was destroyed is gone, and the same one is made only once")
    func series() {
        let counter = Counter(label: "x_total", factory: registry)
        counter.increment()
        Counter(label: "x_total", factory: registry).increment()
        Gauge(label: "x_total", factory: registry).record(5)
        let gauge = Gauge(label: "gone", factory: registry)
        gauge.record(1)
        gauge.destroy()
        #expect(
            MetricText.render(registry)
                == "# TYPE x_total counter\nx_total 2\n# TYPE x_total_gauge gauge\nx_total_gauge 5\n")
    }

    @Test("what processes tell is added up: counts for good, gauges until their process ends")
    func sums() throws {
        let sum = MetricRegistry()
        let parts = [MetricRegistry(), MetricRegistry()]
        func tell(_ process: Int) throws {
            let text = try JSON.encode(ProcessReport(changes: parts[process].takeChanges()))
            sum.add(try JSON.decode(ProcessReport.self, from: text).changes, from: Int32(process))
        }
        func value(_ name: String) -> Double? { sum.all.first { $0.key.name == name }?.value.sum }
        for (process, part) in parts.enumerated() {
            Counter(label: "done_total", factory: part).increment(by: process + 1)
            Gauge(label: "slots", factory: part).record(4)
            Timer(label: "run_seconds", factory: part).recordNanoseconds(1_000_000_000)
            try tell(process)
        }
        #expect(value("done_total") == 3 && value("slots") == 8)
        Counter(label: "done_total", factory: parts[0]).increment()
        Gauge(label: "slots", factory: parts[0]).record(6)
        try tell(0)
        try tell(0)
        #expect(value("done_total") == 4 && value("slots") == 10)
        sum.forget(process: 1)
        #expect(value("done_total") == 4 && value("slots") == 6)
        let runs = try #require(sum.all.first { $0.key.name == "run_seconds" }).value
        #expect(runs.count == 2 && runs.sum == 2 && runs.buckets.reduce(0, +) == 2)
    }

    @Test(
        "addresses",
        arguments: [
            ("127.0.0.1:9100", "127.0.0.1:9100"), (":9100", "0.0.0.0:9100"), ("[::1]:0", "[::1]:0"),
            ("localhost:80", "localhost:80"), ("9100", nil), ("::1:9100", nil), ("a:70000", nil), ("a:", nil),
            ("http://a:80", nil), ("a b:80", nil),
        ] as [(String, String?)])
    func addresses(text: String, expected: String?) {
        #expect(ProbeAddress(text)?.description == expected)
    }
}
