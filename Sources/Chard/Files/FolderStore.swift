// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FoundationEssentials

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files in a folder, for the processes of one machine, or of all that have the folder mounted.
///
/// What is written is on the disk before a key stands for it. A folder that is missing is made with the first file, for this user alone.
public struct FolderStore: FileStore {
    /// The folder.
    public let location: String
    private let queue = DispatchQueue(label: "chard.files", attributes: .concurrent)

    /// A store in the folder at `path`, which nothing else should use; nothing is opened yet.
    public init(_ path: String) {
        location = path
    }

    /// Keeps bytes under a key.
    public func write(_ bytes: [UInt8], as key: String) async throws {
        try FileError.check(key)
        try await perform {
            try FileManager.default.createDirectory(
                atPath: location, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // Another name until it is whole; one that nobody takes for a key.
            let draft = "\(location)/.\(TaskID.random())"
            do {
                try Self.write(bytes, to: draft)
                guard rename(draft, path(of: key)) == 0 else { throw Self.trouble("cannot be written", path(of: key)) }
            } catch {
                unlink(draft)
                throw error
            }
        }
    }

    /// What is kept under a key.
    public func read(_ key: String, atMost limit: Int) async throws -> [UInt8] {
        try FileError.check(key)
        return try await perform {
            guard let file = fopen(path(of: key), "re") else {
                if errno == ENOENT { throw FileError.missing(key, in: location) }
                throw Self.trouble("cannot be read", path(of: key))
            }
            defer { fclose(file) }
            var bytes: [UInt8] = []
            // By pieces: the limit may come from a message, and the file may be smaller.
            var piece = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = fread(&piece, 1, piece.count, file)
                bytes += piece[..<count]
                guard bytes.count <= limit else { throw FileError.tooLarge(key, bytes.count, limit) }
                if count < piece.count { break }
            }
            guard ferror(file) == 0 else { throw Self.trouble("cannot be read", path(of: key)) }
            return bytes
        }
    }

    /// Deletes what is kept under a key.
    public func remove(_ key: String) async throws -> Bool {
        try FileError.check(key)
        return try await perform {
            if unlink(path(of: key)) == 0 { return true }
            if errno == ENOENT { return false }
            throw Self.trouble("cannot be removed", path(of: key))
        }
    }

    /// Deletes files that have been kept for longer than `age`, of which nothing is known any more: those of purged queues, of
    /// dead letters that have expired, of a process that was killed between the end of a task and this. Returns how many.
    ///
    /// Choose an age that no task reaches, its waiting, retries and time as a dead letter included.
    @discardableResult
    public func removeFiles(olderThan age: Duration) async throws -> Int {
        try await perform {
            guard FileManager.default.fileExists(atPath: location) else { return 0 }
            let oldest = Date().addingTimeInterval(-age.seconds)
            var count = 0
            for name in try FileManager.default.contentsOfDirectory(atPath: location) {
                let path = path(of: name)
                guard let found = try? FileManager.default.attributesOfItem(atPath: path),
                    found[.type] as? FileAttributeType == .typeRegular,
                    let changed = found[.modificationDate] as? Date, changed < oldest
                else { continue }
                if unlink(path) == 0 { count += 1 }
            }
            return count
        }
    }

    private func path(of key: String) -> String { "\(location)/\(key)" }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "wxe") else { throw trouble("cannot be written", path) }
        var isDone = fwrite(bytes, 1, bytes.count, file) == bytes.count
        isDone = fflush(file) == 0 && isDone
        isDone = fsync(fileno(file)) == 0 && isDone
        let error = isDone ? nil : trouble("cannot be written", path)
        fclose(file)
        if let error { throw error }
    }

    private static func trouble(_ what: String, _ path: String) -> FileError {
        FileError(.unavailable, "\(path) \(what): \(String(cString: strerror(errno)))")
    }

    /// Does what blocks apart from Swift's threads.
    private func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async {
                continuation.resume(
                    with: Result { try work() }.mapError { error in
                        error as? FileError ?? FileError(.unavailable, "\(location) cannot be used: \(error)")
                    })
            }
        }
    }
}
