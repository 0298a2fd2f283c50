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
    /// Lets go of all pages of code. Those that are still needed come back from the system's cache, one by one. Called after each step of a
    /// start: what loading has touched, what reading the command line has, and what it took to become ready never add up.
    static func release() {
        #if os(Linux)
        for mapping in mappings() {
            guard let start = UnsafeMutableRawPointer(bitPattern: mapping.start) else { continue }
            madvise(start, Int(mapping.end - mapping.start), MADV_DONTNEED)
        }
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
    #endif
}
