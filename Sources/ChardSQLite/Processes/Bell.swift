// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The small file beside the database by which processes tell each other that something has changed: whoever has committed
/// a change writes to it, and the system wakes those who watch it.
///
/// It holds nothing. Should it be lost, or should a process die between a commit and the ring, the others find the change
/// on their next patrol.
final class Bell {
    private let file: Int64
    private let path: String
    private let descriptor: Int32
    private var watch: (any DispatchSourceProtocol)?

    init?(_ path: String) {
        descriptor = Self.open(path)
        guard descriptor >= 0 else { return nil }
        self.path = path
        file = Self.number(descriptor)
    }

    deinit {
        // A file that is watched is closed by the watch, once that has ended.
        if let watch { watch.cancel() } else { close(descriptor) }
    }

    /// Opens the file at `path`, made where it is missing. A child of this process does not inherit it.
    static func open(_ path: String) -> Int32 {
        #if canImport(Darwin)
        Darwin.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #elseif canImport(Musl)
        Musl.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #else
        Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #endif
    }

    /// The number by which the system knows an open file.
    static func number(_ descriptor: Int32) -> Int64 {
        var info = stat()
        return fstat(descriptor, &info) == 0 ? Int64(truncatingIfNeeded: info.st_ino) : 0
    }

    /// Tells all processes that something has changed.
    func ring() {
        var byte = UInt8(ascii: "!")
        _ = pwrite(descriptor, &byte, 1, 0)
    }

    /// Whether the lock at `place` is one of this file that nobody holds any more: so the end of a process is known. False
    /// where that cannot be told.
    func isFree(_ place: LockPlace) -> Bool {
        place.file == file && HolderLock.isFree(place, of: descriptor)
    }

    /// Calls `heard` whenever somebody has rung. Returns whether the system can do that.
    func listen(_ heard: @escaping @Sendable () -> Void) -> Bool {
        let queue = DispatchQueue(label: "chard.sqlite.bell")
        #if canImport(Darwin)
        let source = DispatchSource.makeFileSystemObjectSource(
            fileDescriptor: descriptor, eventMask: .write, queue: queue)
        source.setEventHandler(handler: heard)
        source.setCancelHandler { [descriptor] in _ = close(descriptor) }
        #else
        let events = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard events >= 0 else { return false }
        guard inotify_add_watch(events, path, UInt32(IN_MODIFY)) >= 0 else {
            close(events)
            return false
        }
        let source = DispatchSource.makeReadSource(fileDescriptor: events, queue: queue)
        source.setEventHandler {
            var buffer = [UInt8](repeating: 0, count: 4096)
            while read(events, &buffer, buffer.count) > 0 {}
            heard()
        }
        source.setCancelHandler { [descriptor] in
            close(events)
            close(descriptor)
        }
        #endif
        source.activate()
        watch = source
        return true
    }
}
