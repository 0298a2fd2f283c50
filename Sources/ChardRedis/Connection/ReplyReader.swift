// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import CHiredis
import NIOCore
import Synchronization

/// Reads replies from bytes that arrive in any pieces: the one owner of a hiredis reader.
///
/// A reply is copied to a ``RESPValue`` and freed in the same scope; no pointer leaves this file.
struct ReplyReader: ~Copyable {
    /// How many readers exist in this process, so that tests can see that none leaks.
    static let living = Atomic(0)

    /// How much the reader is fed at a time: it moves the rest of its buffer down after each reply, so a large buffer
    /// with many small replies would be moved many times.
    static let feedSize = 16 * 1024

    private let reader: UnsafeMutablePointer<redisReader>

    init() throws(RedisError) {
        guard let reader = redisReaderCreate() else {
            throw RedisError(code: .outOfMemory, message: "no memory for a reader of replies")
        }
        self.reader = reader
        Self.living.add(1, ordering: .relaxed)
    }

    deinit {
        redisReaderFree(reader)
        Self.living.subtract(1, ordering: .relaxed)
    }

    /// Takes a piece off the buffer's front; ask for ``next()`` until it has nothing before feeding more.
    mutating func feed(from buffer: inout ByteBuffer) throws(RedisError) {
        var status = REDIS_OK
        buffer.readWithUnsafeReadableBytes { bytes in
            let count = min(bytes.count, Self.feedSize)
            if count > 0 {
                status = redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count)
            }
            return count
        }
        if status != REDIS_OK { throw failure }
    }

    /// The next whole reply, or nil until more is fed.
    mutating func next() throws(RedisError) -> RESPValue? {
        var reply: UnsafeMutableRawPointer?
        guard redisReaderGetReply(reader, &reply) == REDIS_OK else { throw failure }
        guard let reply else { return nil }
        defer { freeReplyObject(reply) }
        return RESPValue(copying: reply.assumingMemoryBound(to: redisReply.self).pointee)
    }

    private var failure: RedisError {
        let code: RedisError.Code = reader.pointee.err == REDIS_ERR_OOM ? .outOfMemory : .protocolError
        let message = withUnsafeBytes(of: reader.pointee.errstr) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
        return RedisError(code: code, message: message)
    }
}

extension RESPValue {
    /// What nearly every write answers, made once.
    private static let ok = Array("OK".utf8)

    fileprivate init(copying reply: redisReply) {
        switch reply.type {
        case REDIS_REPLY_INTEGER:
            self = .integer(Int(reply.integer))
        case REDIS_REPLY_STATUS, REDIS_REPLY_STRING:
            let bytes = UnsafeRawBufferPointer(start: reply.str, count: reply.len)
            self = .string(bytes.elementsEqual(Self.ok) ? Self.ok : Array(bytes))
        case REDIS_REPLY_ERROR:
            let bytes = UnsafeRawBufferPointer(start: reply.str, count: reply.len)
            self = .error(RedisError(reply: String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ARRAY:
            let elements = UnsafeBufferPointer(start: reply.element, count: reply.elements)
            self = .array(elements.map { $0.map { RESPValue(copying: $0.pointee) } ?? .null })
        default:
            self = .null
        }
    }
}
