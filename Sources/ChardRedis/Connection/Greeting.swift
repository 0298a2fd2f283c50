// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

/// The first commands of a connection, and what their replies mean.
struct Greeting {
    let batch: RedisBatch
    private let password: String?

    /// - Parameter asksForRole: Whether only a primary will do.
    init(url: RedisURL, options: RedisOptions, asksForRole: Bool = false) {
        var commands: [RedisCommand] = []
        if let user = url.user {
            commands.append(RedisCommand("AUTH", user, url.password ?? ""))
        } else if let password = url.password {
            commands.append(RedisCommand("AUTH", password))
        }
        if url.database != 0 { commands.append(RedisCommand("SELECT", url.database)) }
        if let name = options.clientName { commands.append(RedisCommand("CLIENT", "SETNAME", name)) }
        if asksForRole { commands.append(RedisCommand("ROLE")) }
        commands.append(RedisCommand("PING"))
        commands.append(RedisCommand("CLIENT", "ID"))
        batch = RedisBatch(commands)
        password = url.password
    }

    /// The connection's id on the server, if it tells one; throws the first reply that makes the connection useless.
    ///
    /// A server that forbids or lacks `PING`, `ROLE` or `CLIENT` has still shown that it is Redis and lets us in.
    func check(_ replies: [RESPValue], peer: String) throws(RedisError) -> Int? {
        for (command, reply) in zip(batch.commands, replies) {
            if command.name == "ROLE", let role = reply.array?.first?.text, role != "master" {
                // "slave" is what the command says to this day.
                let name = role == "slave" ? "replica" : role
                throw RedisError(code: .readOnly, message: "\(peer) says that it is a \(name)", command: command.name)
            }
            guard let error = reply.error else { continue }
            switch (command.name, error.code) {
            case ("AUTH", _):
                throw refused(error, peer)
            case ("SELECT", .server):
                throw RedisError(code: .badURL, message: "\(peer): \(error.message)", command: command.name)
            case ("SELECT", _), (_, .authentication), (_, .tooManyClients):
                throw RedisError(code: error.code, message: "\(peer): \(error.message)", command: command.name)
            case ("PING", .misconfigured):
                // A server whose disk is full refuses this as it refuses writes, and lets everybody read.
                continue
            case ("PING", _) where error.isRetryable:
                throw RedisError(code: error.code, message: "\(peer): \(error.message)", command: command.name)
            default:
                continue
            }
        }
        return replies.last?.integer
    }

    /// A server that does not know `AUTH` repeats its arguments in the error, and the password with them.
    private func refused(_ error: RedisError, _ peer: String) -> RedisError {
        let repeatsPassword = password.map { error.message.contains($0) } ?? false
        let detail = error.code == .server && repeatsPassword ? "it does not take AUTH" : error.message
        return RedisError(
            code: error.code == .server ? .authentication : error.code,
            message: "\(peer) refused the URL's user or password: \(detail)", command: "AUTH")
    }
}
