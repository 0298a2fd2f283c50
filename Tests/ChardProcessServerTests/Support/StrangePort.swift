// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization
import TestServers

/// A loopback port on which something listens that is not Redis.
final class StrangePort: Sendable {
    enum Manner: String, Sendable, CaseIterable {
        /// Answers whatever it hears as a web server does.
        case speaksHTTP
        /// Speaks first, as mail servers do.
        case greets
        /// Closes each connection at once.
        case hangsUp
        /// Accepts, and never says anything.
        case keepsSilent
    }

    let port: Int
    private let listener: Int32

    init(_ manner: Manner) throws {
        port = try FreePort.find()
        listener = socket(AF_INET, Self.streamType, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 16) == 0 else { throw TestServerError("cannot listen: error \(errno)") }
        Thread.detachNewThread { [listener] in
            // Ends when the listener is shut down.
            while case let client = accept(listener, nil, nil), client >= 0 { Self.serve(client, manner) }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ client: Int32, _ manner: Manner) {
        switch manner {
        case .speaksHTTP:
            var heard = [UInt8](repeating: 0, count: 4096)
            _ = read(client, &heard, heard.count)
            say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", to: client)
        case .greets:
            say("220 mail.example ESMTP\r\n", to: client)
        case .hangsUp:
            break
        case .keepsSilent:
            // Left open: it goes with the process.
            return
        }
        close(client)
    }

    private static func say(_ text: String, to client: Int32) {
        _ = text.withCString { write(client, $0, strlen($0)) }
    }

    private static var streamType: Int32 {
        #if canImport(Glibc)
        Int32(SOCK_STREAM.rawValue)
        #else
        SOCK_STREAM
        #endif
    }
}
