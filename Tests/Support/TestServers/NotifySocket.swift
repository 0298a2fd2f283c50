// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The end of a service manager at which programs tell it how they do.
public final class NotifySocket: Sendable {
    /// What stands in `NOTIFY_SOCKET`.
    public let name: String
    private let descriptor: Int32

    /// Listens from now on.
    /// - Parameter isMereName: Whether it is no file, as Linux has such.
    public init(isMereName: Bool = false) throws {
        let number = UInt32.random(in: 0 ... .max)
        name = isMereName ? "@chard-notify-\(number)" : "/tmp/chard-notify-\(number)"
        #if os(Linux)
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        #else
        descriptor = socket(AF_UNIX, SOCK_DGRAM, 0)
        #endif
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if isMereName { path[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        let length = (MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 0) + path.count
        let status = withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
        }
        guard descriptor >= 0, status == 0 else { throw TestServerError("no socket \(name): \(errno)") }
    }

    /// The next thing that was told, if anything was.
    public func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    deinit {
        close(descriptor)
        if name.first == "/" { unlink(name) }
    }
}
