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
    fputs(text + "\n", stderr)
    exit(2)
}

/// The process's time on the processors so far, in seconds.
func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(RUSAGE_SELF, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
