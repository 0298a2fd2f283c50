// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard
import Testing

@testable import ChardSQLite

@Suite("The file system under a file")
struct FileSystemTests {
    private static let mounts = """
        overlay / overlay rw 0 0
        server:/export /mnt nfs4 rw 0 0
        //server/share /mnt/local\\040disk ext4 rw 0 0
        me@host: /home/me/far fuse.sshfs rw 0 0
        tmpfs /mnt tmpfs rw 0 0
        """

    @Test(
        "is that of the nearest mount above, the last one on top",
        arguments: [
            ("/var/lib", "overlay", false), ("/mnt/data", "tmpfs", false), ("/mnt/local disk/x", "ext4", false),
            ("/home/me/far", "fuse.sshfs", true), ("/home/me/farther", "overlay", false),
        ])
    func nearest(_ path: String, _ type: String, _ isNetwork: Bool) throws {
        let system = try #require(FileSystem(of: path, mounts: Self.mounts))
        #expect(system.type == type)
        #expect((system.networkName != nil) == isNetwork)
    }

    @Test("a network's is a danger, and said to be")
    func finding() {
        let network = FileSystem(of: "/srv/q", mounts: "server:/export /srv nfs rw 0 0")
        #expect(Finding.system(network).severity == .danger)
        #expect(Finding.system(network).advice.contains("Redis"))
        #expect(Finding.system(FileSystem(of: "/tmp")).severity == .fine)
    }
}
