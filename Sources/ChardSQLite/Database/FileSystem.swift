// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The kind of file system that a folder is on.
struct FileSystem: Sendable, Hashable {
    /// Its type, as the system names it.
    let type: String

    /// Those that other machines can write to, where locks and shared memory do not work as SQLite needs them.
    private static let networks = [
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "afpfs", "ceph", "lustre", "glusterfs", "fuse.sshfs",
        "fuse.glusterfs", "fuse.s3fs", "fuse.rclone", "webdav", "davfs", "virtiofs", "beegfs", "gfs2", "ocfs2",
    ]

    /// The type, if it is a network's.
    var networkName: String? { Self.networks.contains(type) ? type : nil }

    #if canImport(Darwin)
    /// The file system of the folder at `path`.
    init?(of path: String) {
        var info = statfs()
        guard statfs(path, &info) == 0 else { return nil }
        type = withUnsafeBytes(of: info.f_fstypename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    #else
    /// The file system of the folder at `path`.
    init?(of path: String) {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        let mounts = SystemFile("/proc/self/mounts").head(1 << 20)
        self.init(of: String(cString: resolved), mounts: String(decoding: mounts, as: UTF8.self))
    }
    #endif

    /// The file system of a folder, from the system's table of what is mounted where.
    init?(of path: String, mounts: String) {
        var best: (point: String, type: String)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            // Blanks stand there in octal.
            let point = fields[1].split(separator: "\\040", omittingEmptySubsequences: false).joined(separator: " ")
            let isAbove = point == "/" || path == point || path.hasPrefix(point + "/")
            // Of two at the same point, the later one covers the other.
            if isAbove, point.utf8.count >= best?.point.utf8.count ?? 0 { best = (point, String(fields[2])) }
        }
        guard let best else { return nil }
        type = best.type
    }
}
