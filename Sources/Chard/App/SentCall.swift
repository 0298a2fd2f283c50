// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What has become of one call, of whatever type.
struct SentCall: Sendable {
    let id: String
    let placement: Placement?
    let prospect: ResultProspect

    /// - Parameters:
    ///   - index: The place of its message among those that were to be sent.
    ///   - places: Where these are among those that were.
    init(at index: Int, of messages: [TaskMessage], among places: inout SentPlaces) {
        guard let place = places.place(of: messages[index].properties.deliveryTag, givenAt: index) else {
            let dropped = places.enqueued.drop(of: messages[index])
            id = dropped.id
            placement = nil
            prospect = .dropped(dropped)
            return
        }
        id = places.enqueued.messages[place].id
        placement = places.enqueued.placement(at: place)
        prospect = places.enqueued.messages[place].ignoresResult == true ? .ignored : .kept
    }
}

extension AsyncResult {
    init(_ sent: SentCall, of app: Chard, decode: @escaping @Sendable ([UInt8]) throws -> Output) {
        self.init(id: sent.id, placement: sent.placement, app: app, prospect: sent.prospect, decode: decode)
    }
}
