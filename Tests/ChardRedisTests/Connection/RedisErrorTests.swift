// Chard, a distributed task queue for Swift.
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChardRedis

@Suite("Errors of Redis")
struct RedisErrorTests {
    @Test(
        "have the code of their first word, and know whether waiting may cure them",
        arguments: [
            ("WRONGPASS invalid username-password pair or user is disabled.", .authentication, false),
            ("NOAUTH Authentication required.", .authentication, false),
            ("ERR AUTH <password> called without any password configured", .authentication, false),
            ("ERR Client sent AUTH, but no password is set", .authentication, false),
            ("NOPERM this user has no permissions to run the 'get' command", .noPermission, false),
            ("DENIED Redis is running in protected mode", .noPermission, false),
            ("ERR The user executing the script can't run this command or subcommand script: 0", .noPermission, false),
            ("ERR ACL failure in script: User w has no permissions to run the 'zadd' command", .noPermission, false),
            ("WRONGTYPE Operation against a key holding the wrong kind of value", .wrongType, false),
            ("NOSCRIPT No matching script.", .noScript, false),
            ("MOVED 3999 127.0.0.1:6381", .clusterMoved, false),
            ("UNBLOCKED client unblocked via CLIENT UNBLOCK", .unblocked, false),
            ("ERR unknown command 'FOO'", .server, false),
            ("", .server, false),
            ("LOADING Redis is loading the dataset in memory", .loading, true),
            ("READONLY You can't write against a read only replica.", .readOnly, true),
            ("BUSY Redis is busy running a script.", .busy, true),
            ("MASTERDOWN Link with MASTER is down", .masterDown, true),
            ("OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory, true),
            ("TRYAGAIN Multiple keys request during rehashing of slot", .tryAgain, true),
            ("CLUSTERDOWN The cluster is down", .clusterDown, true),
            ("MISCONF Redis is configured to save RDB snapshots", .misconfigured, true),
            ("ERR max number of clients reached", .tooManyClients, true),
            // How scripts answer on Redis 6.2, then on later servers.
            ("@user_script: 24: -OOM command not allowed when used memory > 'maxmemory'.", .outOfMemory, true),
            ("ERR Error running script (call to f_c9): @user_script:57: WRONGTYPE Operation", .wrongType, false),
            ("ERR Error running script (call to f_c9): @user_script:1: @user_script: 1: -READONLY x", .readOnly, true),
            ("ERR Error running script (call to f_c9): @user_script:1: gone", .server, false),
            ("WRONGTYPE Operation against a key script: c9, on @user_script:57.", .wrongType, false),
        ] as [(String, RedisError.Code, Bool)])
    func codes(reply: String, code: RedisError.Code, isRetryable: Bool) {
        let error = RedisError(reply: reply)
        #expect(error.code == code)
        #expect(error.isRetryable == isRetryable)
        #expect(error.message == reply)
    }

    @Test(
        "of the connection may be cured by waiting",
        arguments: [.connectionRefused, .unreachable, .closed, .timedOut] as [RedisError.Code])
    func connectionTrouble(code: RedisError.Code) {
        #expect(code.isRetryable)
    }

    @Test("name command and key")
    func naming() {
        let error = RedisError(reply: "WRONGTYPE x")
        #expect(error.naming(RedisCommand("LPUSH", "a", "b")).description == "LPUSH a: WRONGTYPE x [wrongType]")
        #expect(error.naming(RedisCommand("PING")).description == "PING: WRONGTYPE x [wrongType]")
        #expect(!error.naming(RedisCommand("AUTH", "s3cret")).description.contains("s3cret"))
        let script = RedisScript("return 1")
        #expect(error.naming(script.command(keys: ["k", "l"], 1)).key == "k")
        #expect(error.naming(script.command(keys: [], 1)).key == nil)
    }
}
