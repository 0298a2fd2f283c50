// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

/// The storage service, which takes its time: a folder, for this example. Photos are public there; uploads that wait for it are not.
struct SlowStorage: Sendable {
    private let files: FolderStore
    private let delay: Duration

    init(folder: String, delay: Duration) {
        files = FolderStore(folder)
        self.delay = delay
    }

    /// Stores a photo. Returns its key.
    func put(_ bytes: [UInt8]) async throws -> String {
        try await Task.sleep(for: delay)
        return try await files.keep(bytes).key
    }

    func get(_ key: String) async throws -> [UInt8] { try await files.read(key, atMost: FolderStore.usualLimit) }
}
