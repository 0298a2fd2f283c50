// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

#if compiler(>=6.3)

/// Types of an app that are called as Chard's are.
private struct Settings: Equatable {
    var theme = "dark"
}
private enum JSON: Equatable { case text(String) }
private struct Schedule: Equatable {
    var shifts = 3
}

@Suite("An app may have types of Chard's names")
struct OwnNamesTests {
    /// The module has a class of its name, so `Chard.Settings` would be a type within that class.
    @Test("a plain name is the app's own, Chard::name is Chard's")
    func names() {
        var settings = Chard::Settings()
        settings.defaultQueue = "mail"
        let app = Chard("app", broker: MemoryBroker(), settings: settings)
        #expect(app.settings.defaultQueue == "mail")
        #expect(Settings().theme == "dark")

        let json: Chard::JSON = ["a": 1]
        #expect(json["a"] == 1)
        #expect(JSON.text("a") != .text("b"))

        let schedule = Chard::Schedule("nightly", .every(.seconds(60)), call: PeriodicCall("t"))
        #expect(schedule.name == "nightly")
        #expect(Schedule().shifts == 3)
    }
}

#endif
