// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// The pages of the program's file that only its start has needed.
///
/// Linux maps 64 KB around every page that is touched. To load a program and to read a command line touch much that a worker never
/// comes back to, and all that counts as the worker's memory for as long as it lives.
enum StartPages {
    /// Lets go of what stands before the program's first code: tables that only its loading has read, six megabytes of them.
    static func releaseTables() {
        #if os(Linux) && _pointerBitWidth(_64)
        // The program's own file comes first, from its beginning on, where the linker has put the tables beside the code.
        guard let first = mappings().first, let start = UnsafeRawPointer(bitPattern: first.start),
            start.loadUnaligned(as: UInt32.self).littleEndian == 0x464C_457F  // 0x7F, "ELF"
        else { return }
        // In the file's header: whether it can stand anywhere, and where it begins to run.
        let isMovable = start.loadUnaligned(fromByteOffset: 16, as: UInt16.self) == 3
        let entry = start.loadUnaligned(fromByteOffset: 24, as: UInt.self)
        let end = isMovable ? first.start &+ entry : entry
        if first.start < end, end < first.end { release(Mapping(start: first.start, end: end)) }
        #endif
    }

    /// Lets go of all pages of code. Those that are still needed come back from the system's cache, sixteen at a time; each time takes some
    /// microseconds, so that this is done no more often than it pays: behind the command line, and behind the first tasks.
    static func release() {
        #if os(Linux)
        for mapping in mappings() { release(mapping) }
        #endif
    }

    #if os(Linux)
    private struct Mapping {
        var start: UInt
        var end: UInt
    }

    /// Where code is. It is never written to: what is dropped there is as it is in its file.
    private static func mappings() -> [Mapping] {
        guard let file = fopen("/proc/self/maps", "re") else { return [] }
        defer { fclose(file) }
        var (line, room): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
        defer { free(line) }
        var found: [Mapping] = []
        // By C's own means: this is on the way to a worker's first task.
        while getline(&line, &room, file) > 0 {
            // "start-end r-xp offset device inode /path", or "[name]" where it is no file's.
            var rest = line
            guard let text = line, case let start = strtoul(text, &rest, 16), let dash = rest,
                case let end = strtoul(dash + 1, &rest, 16), start < end, let rest,
                strncmp(rest, " r-xp ", 6) == 0, strchr(rest, CInt(UInt8(ascii: "/"))) != nil,
                strchr(rest, CInt(UInt8(ascii: "["))) == nil
            else { continue }
            found.append(Mapping(start: start, end: end))
        }
        return found
    }

    private static func release(_ mapping: Mapping) {
        guard let start = UnsafeMutableRawPointer(bitPattern: mapping.start) else { return }
        let page = UInt(sysconf(Int32(_SC_PAGESIZE)))
        madvise(start, Int((mapping.end - mapping.start) / page * page), MADV_DONTNEED)
    }
    #endif
}
