// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// What one member of a group has come to, as the task that runs finally gets it: see ``Group/finally(_:with:options:queue:)``.
public struct PartOutcome<Value: Codable & Sendable>: Codable, Sendable {
    /// The id of the task that was the member's last: of one that has failed, the one that did.
    public let id: String
    /// Its result, or why there is none.
    public let result: Result<Value, TaskError>

    /// Makes an outcome.
    public init(id: String, _ result: Result<Value, TaskError>) {
        self.id = id
        self.result = result
    }

    /// The result.
    /// - Throws: The failure, where it is one.
    public func get() throws(TaskError) -> Value { try result.get() }

    private enum CodingKeys: String, CodingKey {
        case id, state, result, error
    }

    /// Reads what a worker has written: `{"id", "state", "result"}` or `{"id", "state", "error"}`.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        id = try container.decode(String.self, forKey: .id)
        if try container.decode(String.self, forKey: .state) == TaskState.success.rawValue {
            result = .success(try container.decode(Value.self, forKey: .result))
        } else {
            let json = try container.decode(JSON.self, forKey: .error)
            let error = ExceptionInfo(json).map { [id] in TaskError($0, traceback: nil, taskID: id) }
            result = .failure(error ?? TaskError("UnknownError", json.description))
        }
    }

    /// Writes the same.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        switch result {
        case .success(let value):
            try container.encode(TaskState.success.rawValue, forKey: .state)
            try container.encode(value, forKey: .result)
        case .failure(let error):
            try container.encode(TaskState.failure.rawValue, forKey: .state)
            try container.encode(error.info.json, forKey: .error)
        }
    }
}
