// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Chard {
    /// What this app knows that signatures do not say.
    var canvasRules: CanvasRules {
        CanvasRules(
            queue: { [self] task, named in queue(for: task, named) }, options: { [registry] in registry[$0]?.options },
            parameters: { [registry] in registry[$0]?.parameters ?? [] }, texts: argumentTexts, origin: origin,
            now: settings.now, lifetimes: statusLifetimes,
            joinsExpire: max(settings.resultExpires, .seconds(86_400 * 30)), signing: signing)
    }

    /// How long statuses are kept.
    var statusLifetimes: StatusLifetimes {
        StatusLifetimes(settings.resultExpires, byTask: registry.compactMapValues(\.options.resultExpires))
    }
}
