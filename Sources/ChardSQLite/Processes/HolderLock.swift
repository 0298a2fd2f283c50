// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Which byte of which file a holder keeps locked: its row tells the others.
struct LockPlace: Sendable, Hashable {
    /// The file's number: only those who have the same file open can judge.
    var file: Int64
    /// The byte.
    var place: Int64

    /// The bytes that beats lock, and those of consumers: so many that no two get the same. Locks may lie beyond a file's end.
    static let beats: Range<Int64> = 1..<1 << 20
    static let holders: Range<Int64> = 1 << 20..<1 << 60
}

/// A lock on one byte of the bell, held for as long as a consumer or a beat lives: the system lets go of it when the process ends, in
/// whatever way. So the others know at once, need no process ids, and are not misled by one that is used again or that
/// means another process in another container.
///
/// The lock belongs to the open file (OFD), not to the process: two consumers of one process see each other's, too.
final class HolderLock: Sendable {
    let place: LockPlace
    private let descriptor: Int32

    #if canImport(Darwin)
    private static let (setLock, getLock): (Int32, Int32) = (90, 92)
    #else
    private static let (setLock, getLock): (Int32, Int32) = (37, 36)
    #endif

    /// Locks a byte of the file at `path`; `nil` where the system cannot.
    init?(_ path: String, among places: Range<Int64> = LockPlace.holders) {
        descriptor = Bell.open(path)
        guard descriptor >= 0 else { return nil }
        place = LockPlace(file: Bell.number(descriptor), place: Int64.random(in: places))
        var lock = Self.lock(place)
        guard fcntl(descriptor, Self.setLock, &lock) == 0 else {
            close(descriptor)
            return nil
        }
    }

    deinit {
        close(descriptor)
    }

    private static func lock(_ place: LockPlace) -> flock {
        var lock = flock()
        lock.l_type = Int16(F_WRLCK)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(place.place)
        lock.l_len = 1
        return lock
    }

    /// How many bytes of the file at `path` are locked among these; `nil` where the system does not tell.
    static func count(_ path: String, among places: Range<Int64>) -> Int? {
        guard SystemFile(path).exists else { return 0 }
        let descriptor = Bell.open(path)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return count(descriptor, among: places)
    }

    private static func count(_ descriptor: Int32, among places: Range<Int64>) -> Int? {
        guard !places.isEmpty else { return 0 }
        // The system names one lock that is in the way, whichever it comes to first.
        var lock = lock(LockPlace(file: 0, place: places.lowerBound))
        lock.l_len = off_t(places.count)
        guard fcntl(descriptor, getLock, &lock) == 0 else { return nil }
        if lock.l_type == Int16(F_UNLCK) { return 0 }
        let found = Int64(lock.l_start)..<Int64(lock.l_start + lock.l_len)
        guard let before = count(descriptor, among: places.lowerBound..<found.lowerBound),
            let after = count(descriptor, among: found.upperBound..<places.upperBound)
        else { return nil }
        return before + found.count + after
    }

    /// Lets go of the lock, as the end of the process would.
    func release() {
        var lock = Self.lock(place)
        lock.l_type = Int16(F_UNLCK)
        _ = fcntl(descriptor, Self.setLock, &lock)
    }

    /// Whether nobody holds the lock, as far as the system tells. The descriptor is of the file that the place is in.
    static func isFree(_ place: LockPlace, of descriptor: Int32) -> Bool {
        var lock = lock(place)
        return fcntl(descriptor, getLock, &lock) == 0 && lock.l_type == Int16(F_UNLCK)
    }
}
