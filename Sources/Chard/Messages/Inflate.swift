// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CZlib

/// Decompression of zlib streams (RFC 1950).
enum Inflate {
    /// The content of a zlib stream, which may not be longer than `limit`.
    static func inflate(_ input: [UInt8], limit: Int) throws(MessageError) -> [UInt8] {
        var stream = z_stream()
        guard chard_inflate_init(&stream) == Z_OK else {
            throw MessageError(.unsupportedCompression, "zlib does not work here")
        }
        defer { inflateEnd(&stream) }
        // zlib only reads the input, though its type for it is mutable.
        var input = input
        return try input.withUnsafeMutableBufferPointer { (source) throws(MessageError) -> [UInt8] in
            stream.next_in = source.baseAddress
            var unread = source.count
            var output: [UInt8] = []
            while true {
                if stream.avail_in == 0 {
                    stream.avail_in = uInt(clamping: unread)
                    unread -= Int(stream.avail_in)
                }
                let start = output.count
                let room = max(1024, min(start, 1 << 20))
                output.append(contentsOf: repeatElement(0, count: room))
                let status = output.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress.map { $0 + start }
                    stream.avail_out = uInt(room)
                    return CZlib.inflate(&stream, Z_NO_FLUSH)
                }
                output.removeLast(Int(stream.avail_out))
                guard output.count <= limit else {
                    throw MessageError(.tooLarge, "the body has more than \(limit) bytes when decompressed")
                }
                if status == Z_STREAM_END { return output }
                guard status == Z_OK || (status == Z_BUF_ERROR && unread > 0) else {
                    throw MessageError(
                        .badBody,
                        "the body is not a whole zlib stream, which is what application/x-gzip means to Celery")
                }
            }
        }
    }
}
