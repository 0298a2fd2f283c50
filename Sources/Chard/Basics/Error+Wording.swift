// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension Error {
    /// What the error says, without the wrapping that printing an enum adds.
    var wording: String {
        guard let error = self as? DecodingError else { return String(describing: self) }
        let context: DecodingError.Context =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default:
                DecodingError.Context(codingPath: [], debugDescription: String(describing: error))
            }
        let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? ".\($0.stringValue)" }.joined()
        return path.isEmpty ? context.debugDescription : "at \(path): \(context.debugDescription)"
    }
}
