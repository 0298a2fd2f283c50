// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Keeps a process from using up its file descriptors for what it can do without: a process without any cannot connect again, open a
/// file for a task, or even count its own threads, upon which Dispatch ends it.
enum SpareDescriptors {
    /// How many are kept.
    static let count = 24

    /// How many descriptors this process may have; `nil` where there is no limit.
    private static var limit: Int? {
        var limits = rlimit()
        #if canImport(Glibc)
        let status = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limits)
        #else
        let status = getrlimit(RLIMIT_NOFILE, &limits)
        #endif
        return status == 0 ? Int(exactly: limits.rlim_cur) : nil
    }

    /// Why one more may not be used for what can be done without, if so. New ones get the lowest number that is free.
    ///
    /// - Parameter opening: How many are about to be used.
    static func shortage(opening: Int) -> RedisError? {
        guard let limit else { return nil }
        let descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        if descriptor >= 0 { close(descriptor) }
        let next = Int(descriptor)
        // With a very low limit there is little to keep.
        let last = limit - min(count, limit / 4)
        guard next + opening >= last || next < 0 && errno == EMFILE else { return nil }
        return RedisError(
            code: .unreachable,
            message:
                "this process may have no more than \(limit) files and connections open, and keeps the last for what is "
                + "more urgent; raise that, as with ulimit -n \(max(1_024, limit * 4))")
    }
}
