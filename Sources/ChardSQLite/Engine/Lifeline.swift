// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A lock on one byte of the bell, held for as long as a consumer lives: the system lets go of it when the process ends, in
/// whatever way. So the others know at once, need no process ids, and are not misled by one that is used again or that
/// another container counts otherwise.
///
/// The lock belongs to the open file (OFD), not to the process: two consumers of one process see each other's, too.
final class Lifeline: Sendable {
    /// The file that is locked: only those who have the same one open can judge.
    let file: Int64
    /// The byte that is locked.
    let place: Int64
    private let descriptor: Int32

    #if canImport(Darwin)
    private static let (setLock, getLock): (Int32, Int32) = (90, 92)
    #else
    private static let (setLock, getLock): (Int32, Int32) = (37, 36)
    #endif

    /// Locks a byte of the file at `path`; `nil` where the system cannot.
    init?(_ path: String) {
        descriptor = Bell.open(path)
        guard descriptor >= 0 else { return nil }
        file = Bell.number(descriptor)
        // So many bytes that no two consumers meet; a file need not be as long as its locks.
        place = Int64.random(in: 1 << 20..<1 << 60)
        var lock = Self.lock(place)
        guard fcntl(descriptor, Self.setLock, &lock) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit {
        close(descriptor)
    }

    private static func lock(_ place: Int64) -> flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(place)
        lock.l_len = 1
        return lock
    }

    /// Lets go of the lock, as the end of the process would.
    func cut() {
        var lock = Self.lock(place)
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, Self.setLock, &lock)
    }

    static func isFree(_ place: Int64, of descriptor: Int32) -> Bool? {
        var lock = lock(place)
        guard fcntl(descriptor, getLock, &lock) == 0 else { return nil }
        return lock.l_type == Int16(F_UNLCK)
    }
}
