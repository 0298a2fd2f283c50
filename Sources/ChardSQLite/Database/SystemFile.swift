// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What the system says about a path.
struct SystemFile: Sendable, Hashable {
    /// A file's number on its device: another one at the same path is another file.
    struct Identity: Sendable, Hashable {
        var device: UInt64
        var inode: UInt64
    }

    let path: String
    private(set) var identity: Identity?
    private(set) var isFolder = false
    private(set) var isRegular = false
    private(set) var size = 0

    init(_ path: String) {
        self.path = path
        var info = stat()
        guard stat(path, &info) == 0 else { return }
        identity = Identity(device: UInt64(truncatingIfNeeded: info.st_dev), inode: UInt64(info.st_ino))
        isFolder = info.st_mode & S_IFMT == S_IFDIR
        isRegular = info.st_mode & S_IFMT == S_IFREG
        size = Int(info.st_size)
    }

    var exists: Bool { identity != nil }
    var isReadable: Bool { access(path, R_OK) == 0 }
    var isWritable: Bool { access(path, W_OK) == 0 }

    /// The first bytes, at most `count`.
    func head(_ count: Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let read = read(descriptor, &bytes, count)
        return Array(bytes.prefix(max(0, read)))
    }

    /// How many bytes this user may still write in a folder; nil where the system does not tell.
    static func room(in folder: String) -> Int? {
        var found = statvfs()
        guard statvfs(folder, &found) == 0 else { return nil }
        return Int(
            clamping: UInt64(found.f_bavail).multipliedReportingOverflow(by: UInt64(found.f_frsize)).partialValue)
    }
}
