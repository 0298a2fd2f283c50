// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Chard

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Who has started this process and wants to be told how it goes: systemd, for a unit of `Type=notify`, or another that speaks
/// the protocol of `sd_notify`: lines such as `READY=1`, in a datagram to a Unix socket.
struct ServiceManager: Sendable {
    /// The variables by which it says so.
    static let socketVariable = "NOTIFY_SOCKET"
    static let watchdogVariable = "WATCHDOG_USEC"
    static let watchdogProcessVariable = "WATCHDOG_PID"

    /// How long it waits for a sign of life before it starts the process anew; `nil` if it does not.
    let watchdog: Duration?
    private let socket: String

    /// What the environment says; `nil` if nobody wants to be told.
    init?(environment: [String: String]) {
        guard let path = environment[Self.socketVariable], let first = path.utf8.first, path.utf8.count > 1,
            // In front of a name that is no file stands "@", where the address has a zero.
            first == UInt8(ascii: "/") || first == UInt8(ascii: "@")
        else { return nil }
        socket = path
        watchdog = Self.watchdog(environment)
        // Programs that tasks start are not meant.
        for name in [Self.socketVariable, Self.watchdogVariable, Self.watchdogProcessVariable] { unsetenv(name) }
    }

    private static func watchdog(_ environment: [String: String]) -> Duration? {
        if let pid = environment[watchdogProcessVariable], pid != "\(getpid())" { return nil }
        return environment[watchdogVariable].flatMap { Int64($0) }.flatMap { $0 > 0 ? .microseconds($0) : nil }
    }

    /// Tells something. There is nobody to tell if that fails, and nothing that would be worth waiting for.
    func tell(_ lines: String...) {
        #if os(Linux)
        let descriptor = systemSocket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        #else
        let descriptor = systemSocket(AF_UNIX, SOCK_DGRAM, 0)
        #endif
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(socket.utf8)
        if path[0] == UInt8(ascii: "@") { path[0] = 0 }
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        // A name that is no file ends with the address, which is why that has no byte too many.
        let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map { $0 + path.count } ?? 0
        let text = Array(lines.joined(separator: "\n").utf8)
        withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(descriptor, text, text.count, Int32(MSG_DONTWAIT), address, socklen_t(length))
            }
        }
    }
}

private func systemSocket(_ domain: Int32, _ type: Int32, _ number: Int32) -> Int32 {
    socket(domain, type, number)
}
