// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where results are kept on another server than messages, what follows a join and the end of the join are not one step. So the step
/// that sends what follows also writes, in the broker, that it was sent: a join of its own, of one member, which closes once.
extension JoinPart {
    /// What marks, in the step that sends what follows this part, that it was sent; `nil` of a part that only counts. What
    /// follows a failure is marked apart, for the member may be run again by hand, and then the success is carried on.
    var mark: JoinPart? {
        guard let closing else { return nil }
        return JoinPart(
            group: Self.marks(of: group)[closing == .success ? 0 : 1], member: "sent", index: nil, isSuccess: true,
            end: Array(#"[1, "sent", "SUCCESS", null]"#.utf8), timeToLive: timeToLive, closing: .success, size: 1)
    }

    /// The ids of the joins that mark what was sent for one: after a success, after a failure.
    static func marks(of group: String) -> [String] { ["sent:\(group)", "failed:\(group)"] }
}
