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
    /// The batch that loads the scripts the server did not know and repeats the commands that named them; nil if there
    /// is nothing to repeat. It completes this batch when it is done.
    func reloadingScripts(after replies: [RESPValue]) -> RedisBatch? {
        let failed = replies.indices.filter { replies[$0].error?.code == .noScript && commands[$0].script != nil }
        let scripts = Set(failed.compactMap { commands[$0].script })
        guard !scripts.isEmpty, !isFinished else { return nil }
        let loads = scripts.map { RedisCommand("SCRIPT", "LOAD", $0.source) }
        // Without their scripts, so that a server that forgets as fast as it learns is not asked for ever.
        let repeats = failed.map { index in
            var command = commands[index]
            command.script = nil
            return command
        }
        let batch = RedisBatch(loads + repeats)
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
