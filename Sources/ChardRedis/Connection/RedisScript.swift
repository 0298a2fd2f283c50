// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// A Lua script that the server runs atomically, sent by its digest and loaded when the server does not know it.
///
/// Keep a script in a `static let`: the digest is computed when it is made.
package struct RedisScript: Sendable, Hashable {
    /// The script's text.
    package let source: String
    /// The digest by which the server knows the script.
    package let digest: String

    package init(_ source: String) {
        self.source = source
        digest = SHA1.hex(source.utf8)
    }

    /// The command that runs this script; it may stand anywhere in a pipeline.
    ///
    /// If the server has lost the script, it is loaded and this command alone is repeated, so it then runs after its
    /// neighbours in the pipeline. Arguments of unknown number are appended to the command afterwards.
    package func command<each Argument: RedisArgument>(
        keys: [String], _ arguments: repeat each Argument
    ) -> RedisCommand {
        var command = RedisCommand("EVALSHA", digest, keys.count)
        command.append(contentsOf: keys)
        repeat command.append(each arguments)
        command.script = self
        return command
    }

    package static func == (left: Self, right: Self) -> Bool { left.digest == right.digest }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension RedisBatch {
    /// The batch that repeats the commands whose scripts the server did not know; nil if there is nothing to repeat. It completes
    /// this batch when it is done.
    ///
    /// A script is loaded first. Where that is not to be had, at a proxy or for want of the right, it is sent with the command.
    func reloadingScripts(after replies: [RESPValue]) -> RedisBatch? {
        let refused = replies.indices.filter { replies[$0].error?.wantsScript == true && commands[$0].script != nil }
        let scripts = Set(refused.compactMap { commands[$0].script })
        guard !scripts.isEmpty, !isFinished else { return nil }
        // What waits for the effects of all has not waited for theirs.
        let failed = refused + (commands.last?.name == "WAIT" ? [commands.count - 1] : [])
        // A server that has no EVALSHA has no use for what is loaded.
        let isLoading = !isSendingScripts && !refused.contains { replies[$0].error?.code != .noScript }
        let loads = isLoading ? scripts.map { RedisCommand("SCRIPT", "LOAD", $0.source) } : []
        let batch = RedisBatch(
            loads + failed.map { isLoading ? commands[$0] : commands[$0].sendingScript },
            isSendingScripts: true)
        batch.whenComplete { result in
            self.complete(
                result.map { values in
                    var replies = replies
                    for (index, value) in zip(failed, values.dropFirst(loads.count)) { replies[index] = value }
                    return replies
                })
        }
        return batch
    }
}

extension RedisError {
    /// Whether the script has to be sent.
    fileprivate var wantsScript: Bool { code == .noScript || isUnknownCommand }
}

extension RedisCommand {
    /// The same call, with the script itself instead of its digest. A server that forgets as fast as it learns is not asked for ever.
    fileprivate var sendingScript: RedisCommand {
        guard let script else { return self }
        return replacingFirstWords("EVAL", script.source)
    }
}
