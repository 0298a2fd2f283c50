// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

extension TaskContext {
    /// The bytes of a file among the arguments, from the app's store.
    /// - Throws: ``FileError`` if it is not there, or the store is away; ``MissingDependency`` where ``Chard/use(files:)`` was not called.
    public func contents(of file: StoredFile) async throws -> [UInt8] {
        try await dependencies.get((any FileStore).self).contents(of: file)
    }
}
