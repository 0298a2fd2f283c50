// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Hummingbird
import ServiceLifecycle

extension Application {
    /// Adds all that an app of tasks needs in a web server's process, in the right order: they start with the server, and end after it,
    /// the broker last of all.
    ///
    /// - Parameters:
    ///   - app: The app.
    ///   - background: Where work runs that requests have left for after the response.
    ///   - worker: Runs a worker in this process, too, with these options. A small site needs no other.
    ///   - hasBeat: Whether the app's periodic tasks are sent by this process. Any number of processes may.
    public mutating func addTasks(
        of app: Chard, background: BackgroundTasks? = nil, worker: WorkerOptions? = nil, hasBeat: Bool = false
    ) {
        var services: [any Service] = [BrokerService(app)]
        if let worker { services.append(Worker(app, options: worker)) }
        if hasBeat { services.append(Beat(app)) }
        if let background { services.append(background) }
        addServices(services)
    }
}
