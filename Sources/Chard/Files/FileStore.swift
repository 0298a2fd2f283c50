// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// Where files are kept that are too big for a message: a folder, a server.
///
/// A task gets a file by reference, as a ``StoredFile`` among its arguments, so that only some hundred bytes travel through the
/// broker. Set the store with ``Chard/use(files:)``, in all programs that send or run such tasks:
/// ```swift
/// app.use(files: FolderStore("uploads"))
/// let photo = try await app.files.keep(bytes, name: "cat.jpg", mediaType: "image/jpeg")
/// try await storePhoto.enqueue(photo)
///
/// let storePhoto = app.task("store") { (context: TaskContext, photo: StoredFile) in
///     let bytes = try await context.contents(of: photo)
/// }
/// ```
/// ``FolderStore`` is one; `HTTPFileStore` (of `ChardHTTPFiles`) is another.
public protocol FileStore: Sendable {
    /// Where this is, without its secrets: what an error may show.
    var location: String { get }

    /// Keeps bytes under a key, in the place of what was there before. When this throws, what was there before is still there, whole.
    ///
    /// Keys are made of letters, digits, `.`, `_` and `-`, and do not begin with a dot.
    func write(_ bytes: [UInt8], as key: String) async throws

    /// What is kept under a key.
    /// - Throws: ``FileError`` with the code `missing` if there is nothing, `tooLarge` if it is more than `limit` bytes.
    func read(_ key: String, atMost limit: Int) async throws -> [UInt8]

    /// Deletes what is kept under a key. Returns whether there was anything.
    @discardableResult
    func remove(_ key: String) async throws -> Bool
}

extension FileStore {
    /// So many bytes are kept of one file, where nobody says otherwise: 32 MiB.
    public static var usualLimit: Int { 32 << 20 }

    /// Keeps a file, and returns what a task is given of it.
    ///
    /// Whoever keeps a file enqueues a task with it or removes it again: only the end of a task removes it by itself.
    ///
    /// - Parameters:
    ///   - bytes: What is in it.
    ///   - name: What its owner calls it: for people, not the place where it is kept.
    ///   - mediaType: What it is, such as `image/png`.
    ///   - limit: How many bytes it may have.
    /// - Throws: ``FileError`` with the code `tooLarge` if it has more.
    public func keep(
        _ bytes: [UInt8], name: String = "", mediaType: String = "application/octet-stream", atMost limit: Int? = nil
    ) async throws -> StoredFile {
        let limit = limit ?? Self.usualLimit
        guard bytes.count <= limit else { throw FileError.tooLarge(name, bytes.count, limit) }
        let file = StoredFile(key: TaskID.random(), name: name, mediaType: mediaType, size: bytes.count)
        try await write(bytes, as: file.key)
        return file
    }

    /// The bytes of a file.
    /// - Throws: ``FileError`` with the code `missing` if it was removed, since its task has ended, or is in another store.
    public func contents(of file: StoredFile) async throws -> [UInt8] {
        try await read(file.key, atMost: max(0, file.size))
    }

    /// Removes a file whose task could not be enqueued. Returns whether it was there.
    @discardableResult
    public func remove(_ file: StoredFile) async throws -> Bool { try await remove(file.key) }
}
