// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import FoundationEssentials

extension TaskMessage {
    /// Makes a message of protocol 2 out of one whose headers name no task: in protocol 1 all is in the body.
    ///
    /// Times without an offset count as UTC, whatever the member `utc` says.
    func fromProtocolOne(limits: MessageLimits) throws(MessageError) -> TaskMessage {
        let text = try body.text(compression: compression, limits: limits)
        let json: JSON
        do {
            json = try JSON(parsing: text, limits: limits.body)
        } catch {
            throw MessageError(error, part: "the body", code: .badBody)
        }
        guard case .object(let members) = json, let task = members["task"]?.string, !task.isEmpty else {
            throw MessageError(.notATask, "neither the headers nor the body name a task", partialID: self.id.nonempty)
        }
        guard let id = members["id"]?.string?.nonempty else {
            throw MessageError(.missingID, "the message for the task \(task.limited) has no id", partialTask: task)
        }
        do {
            var message = self
            message.task = task
            message.id = id
            message.rootID = id
            message.retries = TaskMessage.count(members["retries"]?.integer)
            message.group = (members["group"] ?? .null).string ?? members["taskset"]?.string
            message.groupIndex = members["group_index"]?.integer
            message.eta = try members["eta"].date("eta")
            message.expires = try members["expires"].date("expires")
            let limitPair = members["timelimit"]?.array
            message.timeLimits = TimeLimits(
                hard: limitPair?.first?.number, soft: (limitPair?.dropFirst().first ?? .null).number)
            let body = try MessageBody(decoding: text, limits: limits)
            message.argumentsText = PythonText.tuple(body.positional)
            message.keywordsText = PythonText.dictionary(body.keywords)
            message.body = Body(body)
            message.compression = nil
            return message
        } catch {
            throw MessageError(error.code, error.message, partialID: id, partialTask: task)
        }
    }
}

extension String {
    fileprivate var nonempty: String? { isEmpty ? nil : self }
}

extension JSON? {
    fileprivate func date(_ name: String) throws(MessageError) -> Date? {
        guard let self, !self.isNull, self.string != "" else { return nil }
        guard let text = self.string, let date = Timestamp.date(from: text) else {
            throw MessageError(badDate: self, in: "member", name)
        }
        return date
    }
}
