// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Sets an environment variable of this process. For its very start: other threads may read the environment.
func setEnvironment(_ name: String, _ value: String) {
    setenv(name, value, 1)
}

/// Ends the process with a line on standard error.
func complain(_ text: String) -> Never {
    _ = writeLine(text, to: STDERR_FILENO)
    exit(2)
}

/// Writes a line with one call; returns whether all of it was written.
func writeLine(_ text: String, to descriptor: Int32) -> Bool {
    let bytes = Array("\(text)\n".utf8)
    return write(descriptor, bytes, bytes.count) == bytes.count
}

/// The process's time on the processors so far, in seconds.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
